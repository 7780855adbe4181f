# The node: registry, containerd, kubelet, kube-proxy, hugepages and the device plugin.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

node_daemons=(docker-registry containerd kubelet kube-proxy device-plugin)
node_settings=$ENCLAVES_STATE/node
# Names of the credentials in $pki, which another node has other ones of.
node_credentials=node
kubelet_certificate=kubelet
containerd_socket=/run/containerd/containerd.sock
hugepages_file=/proc/sys/vm/nr_hugepages
# 4 GiB in pages of 2 MiB: four enclaves of the sample's size and some room.
hugepages_wanted=2048

# The pages the cluster wants come on top of those the machine already reserves.
reserve_hugepages() {
    local saved=$ENCLAVES_STATE/saved/nr_hugepages before wanted
    [[ -e $saved ]] || cat "$hugepages_file" >"$saved.new"
    [[ -e $saved ]] || mv "$saved.new" "$saved"
    before=$(<"$saved")
    wanted=$((before + hugepages_wanted))
    (($(<"$hugepages_file") == wanted)) && return 0
    echo "$wanted" >"$hugepages_file"
    (($(<"$hugepages_file") >= wanted)) && return 0
    # Free memory may be in pieces; the kernel joins them on request.
    echo 1 >/proc/sys/vm/compact_memory 2>/dev/null || true
    echo "$wanted" >"$hugepages_file"
    (($(<"$hugepages_file") >= wanted)) || fail "the kernel reserved $(<"$hugepages_file") of $wanted huge pages of 2 MiB" \
        "free some memory (4 GiB are needed) and run again"
}

write_node_settings() {
    mkdir -p "$node_settings/certs.d/$REGISTRY" "$node_settings/cni" "$node_settings/manifests"
    write_registry_settings
    write_containerd_settings
    write_kubelet_settings
}

write_registry_settings() {
    cat >"$node_settings/registry.yaml" <<END
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $ENCLAVES_STATE/registry}
  delete: {enabled: true}
http:
  addr: $REGISTRY
  tls: {certificate: $pki/registry.crt, key: $pki/registry.key}
END
    cat >"$node_settings/certs.d/$REGISTRY/hosts.toml" <<END
server = "https://$REGISTRY"
[host."https://$REGISTRY"]
  capabilities = ["pull", "resolve"]
  ca = "$ENCLAVES_CA/ca.crt"
END
}

# restrict_oom_score_adj: without CAP_SYS_RESOURCE a sandbox could not lower its score and would fail.
write_containerd_settings() {
    cat >"$node_settings/containerd.toml" <<END
version = 2
root = "$ENCLAVES_STATE/containerd"
state = "/run/containerd"
# It would make /opt/containerd on the machine.
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_image"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$node_settings/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$node_settings/certs.d"
END
    cat >"$node_settings/cni/10-enclaves.conflist" <<END
{"cniVersion": "0.4.0", "name": "enclaves", "plugins": [
  {"type": "ptp", "ipMasq": false,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_RANGE"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
END
}

write_kubelet_settings() {
    cat >"$node_settings/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $pki/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $pki/$kubelet_certificate.crt
tlsPrivateKeyFile: $pki/$kubelet_certificate.key
cgroupDriver: cgroupfs
cgroupRoot: /$cluster_cgroup
failSwapOn: false
resolvConf: ""
oomScoreAdj: 0
makeIPTablesUtilChains: true
nodeStatusUpdateFrequency: 2s
syncFrequency: 10s
volumePluginDir: $node_settings/volume-plugins
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
END
    if ((kubernetes_minor >= 27)); then
        echo "containerRuntimeEndpoint: unix://$containerd_socket" >>"$node_settings/kubelet.yaml"
    fi
    if ((kubernetes_minor >= 31)); then
        echo "failCgroupV1: false" >>"$node_settings/kubelet.yaml"
    fi
}

start_kubelet() {
    local runtime=()
    if ((kubernetes_minor < 27)); then
        runtime=(--container-runtime-endpoint "unix://$containerd_socket")
        ((kubernetes_minor >= 24)) || runtime+=(--container-runtime remote)
    fi
    start_daemon kubelet "$kubernetes/kubelet" --config "$node_settings/kubelet.yaml" \
        --kubeconfig "$pki/$node_credentials.kubeconfig" --hostname-override "$NODE_NAME" --node-ip "$NODE_ADDRESS" \
        --node-labels aws-nitro-enclaves-k8s-dp=enabled "${runtime[@]}" --v=1
}

# Where the conntrack sysctls are read-only, kube-proxy must not try to set them.
start_proxy() {
    start_daemon kube-proxy "$kubernetes/kube-proxy" --kubeconfig "$pki/proxy.kubeconfig" \
        --hostname-override "$NODE_NAME" --proxy-mode iptables --cluster-cidr "$POD_RANGE" --oom-score-adj 0 \
        --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0 --v=1
}

containerd_serves() {
    inside ctr --address "$containerd_socket" version
}

registry_serves() {
    curl -sSf --noproxy '*' --max-time 3 --cacert "$ENCLAVES_CA/ca.crt" "https://$REGISTRY/v2/"
}

proxy_is_healthy() {
    inside curl -sSf --noproxy '*' --max-time 2 http://127.0.0.1:10256/healthz
}

# node_reports FILTER: whether a jq filter holds for the node, as the kubelet that runs now has reported
# it; what an earlier one reported does not count.
node_reports() {
    local since
    since=$(stat -c %Y "$ENCLAVES_STATE/run/kubelet.pid")
    kube_get node "$NODE_NAME" -o json | jq -e --argjson since "$since" \
        'any(.status.conditions[]; .type == "Ready" and (.lastHeartbeatTime | fromdate) > $since) and ('"$1"')'
}

node_is_ready() {
    node_reports 'any(.status.conditions[]; .type == "Ready" and .status == "True")'
}

enclaves_are_advertised() {
    node_reports '(.status.allocatable["aws.ec2.nitro/nitro_enclaves"] // "0" | tonumber) > 0'
}

# runtime_up: what can start beside the API server.
runtime_up() {
    reserve_hugepages
    write_node_settings
    start_daemon docker-registry /usr/bin/docker-registry serve "$node_settings/registry.yaml"
    start_daemon containerd /usr/bin/containerd --config "$node_settings/containerd.toml"
}

node_up() {
    wait_daemon 120 containerd containerd_serves
    import_pause_image
    start_kubelet
    start_proxy
    start_device_plugin
}

node_ready() {
    wait_daemon 120 docker-registry registry_serves
    wait_daemon 120 kubelet node_is_ready
    wait_daemon 120 kube-proxy proxy_is_healthy
    wait_daemon 120 device-plugin enclaves_are_advertised
}
