# Keys, certificates and kubeconfigs of the cluster. They live in the state folder and end with it.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

pki=$ENCLAVES_STATE/pki

# The registry's certificate is signed by the development CA of the cache, which images may trust.
# All others are signed by an authority of this cluster alone.
make_credentials() {
    if [[ -e $pki/complete ]]; then
        openssl verify -CAfile "$ENCLAVES_CA/ca.crt" "$pki/registry.crt" >/dev/null 2>&1 || fail \
            "the registry's certificate is not by the authority in $ENCLAVES_CA: the cache is another one than this cluster was started with" \
            "run dev/down, then the same command again"
        return 0
    fi
    step "making the cluster's certificates"
    local log=$ENCLAVES_LOG/credentials.log
    logged "making the development CA" "$log" dev_ca ca "$ENCLAVES_CA"
    logged "making the cluster's CA" "$log" dev_ca ca "$pki"
    leaf apiserver /CN=kube-apiserver "$NODE_ADDRESS" "$(first_service_address)" 127.0.0.1 localhost \
        kubernetes kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local
    leaf kubelet /CN=kubelet "$NODE_ADDRESS" "$NODE_NAME"
    leaf admin /O=system:masters/CN=admin
    leaf apiserver-kubelet-client /O=system:masters/CN=kube-apiserver
    leaf controller-manager /CN=system:kube-controller-manager
    leaf scheduler /CN=system:kube-scheduler
    leaf node "/O=system:nodes/CN=system:node:$NODE_NAME"
    leaf proxy /CN=system:kube-proxy
    logged "signing the registry's certificate" "$log" dev_ca leaf --ca "$ENCLAVES_CA" "$pki" registry "$NODE_ADDRESS"
    (umask 077 && logged "making the key of service accounts" "$log" openssl genrsa -out "$pki/service-accounts.key" 2048)
    logged "making the key of service accounts" "$log" \
        openssl rsa -in "$pki/service-accounts.key" -pubout -out "$pki/service-accounts.pub"
    local user
    for user in controller-manager scheduler node proxy; do
        write_kubeconfig "$user" "$pki/$user.kubeconfig"
    done
    write_kubeconfig admin "$ENCLAVES_KUBECONFIG"
    touch "$pki/complete"
}

dev_ca() {
    "$ENCLAVES_REPOSITORY/certs/dev-ca" "$@"
}

# leaf NAME SUBJECT SAN…
leaf() {
    local name=$1 subject=$2
    shift 2
    logged "signing the certificate $name" "$ENCLAVES_LOG/credentials.log" dev_ca leaf --subject "$subject" "$pki" "$name" "$@"
}

first_service_address() {
    echo "${SERVICE_RANGE%.*}.1"
}

write_kubeconfig() (
    umask 077
    user=$1
    cat >"$2.new" <<END
apiVersion: v1
kind: Config
current-context: enclaves-dev
clusters:
- name: enclaves-dev
  cluster:
    server: $API_SERVER
    certificate-authority-data: $(base64 -w 0 "$pki/ca.crt")
contexts:
- name: enclaves-dev
  context:
    cluster: enclaves-dev
    user: $user
users:
- name: $user
  user:
    client-certificate-data: $(base64 -w 0 "$pki/$user.crt")
    client-key-data: $(base64 -w 0 "$pki/$user.key")
END
    mv "$2.new" "$2"
)
