# etcd, kube-apiserver, kube-controller-manager and kube-scheduler.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

control_plane_daemons=(etcd kube-apiserver kube-controller-manager kube-scheduler)
etcd_url=http://127.0.0.1:2379

start_etcd() {
    start_daemon etcd "$etcd" --name dev --data-dir "$ENCLAVES_STATE/etcd" \
        --listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
        --initial-cluster dev=http://127.0.0.1:2380 --quota-backend-bytes 4294967296 --logger zap --log-level warn
}

start_apiserver() {
    start_daemon kube-apiserver "$kubernetes/kube-apiserver" \
        --advertise-address "$NODE_ADDRESS" --bind-address 0.0.0.0 --secure-port 6443 \
        --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --cert-dir "$pki" \
        --etcd-servers "$etcd_url" --service-cluster-ip-range "$SERVICE_RANGE" \
        --client-ca-file "$pki/ca.crt" --authorization-mode Node,RBAC --allow-privileged=true \
        --enable-admission-plugins NodeRestriction,OwnerReferencesPermissionEnforcement \
        --kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
        --kubelet-client-certificate "$pki/apiserver-kubelet-client.crt" \
        --kubelet-client-key "$pki/apiserver-kubelet-client.key" \
        --service-account-issuer https://kubernetes.default.svc.cluster.local \
        --service-account-signing-key-file "$pki/service-accounts.key" \
        --service-account-key-file "$pki/service-accounts.pub" --v=1
}

# Autoscalers look and shrink within seconds: here one wants to see what they do, not to wait 15 s and 5 min for it.
start_controller_manager() {
    start_daemon kube-controller-manager "$kubernetes/kube-controller-manager" \
        --kubeconfig "$pki/controller-manager.kubeconfig" --leader-elect=false --bind-address 127.0.0.1 --cert-dir "$pki" \
        --use-service-account-credentials --service-account-private-key-file "$pki/service-accounts.key" \
        --root-ca-file "$pki/ca.crt" --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
        --horizontal-pod-autoscaler-sync-period 1s --horizontal-pod-autoscaler-downscale-stabilization 5s \
        --kube-api-qps 200 --kube-api-burst 300 --v=1
}

start_scheduler() {
    start_daemon kube-scheduler "$kubernetes/kube-scheduler" \
        --kubeconfig "$pki/scheduler.kubeconfig" --leader-elect=false --bind-address 127.0.0.1 --cert-dir "$pki" \
        --kube-api-qps 200 --kube-api-burst 300 --v=1
}

etcd_is_healthy() {
    inside curl -sSf --noproxy '*' --max-time 2 "$etcd_url/health" | grep -q '"health":"\?true'
}

# Asked from the machine over the link, as every user of the cluster does.
apiserver_is_ready() {
    curl -sSf --noproxy '*' --max-time 3 --cacert "$pki/ca.crt" "$API_SERVER/readyz"
}

# Until the controller manager has made it, no pod is admitted.
has_default_service_account() {
    kube_get serviceaccount default
}

control_plane_up() {
    start_etcd
    wait_daemon 120 etcd etcd_is_healthy
    start_apiserver
    wait_daemon 120 kube-apiserver apiserver_is_ready
    start_controller_manager
    start_scheduler
}

control_plane_ready() {
    wait_daemon 120 kube-controller-manager has_default_service_account
    is_alive kube-scheduler || fail "kube-scheduler ended while it started" "read the log" "$ENCLAVES_LOG/kube-scheduler.log"
}
