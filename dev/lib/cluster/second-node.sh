# A second node, on request: a kubelet, a containerd and a device plugin in namespaces of their own within the cluster's.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings
#
# It is what the first node is, made by the same functions with other names. What it runs reaches the first node, and is reached,
# through a link between the two; Services are translated there. It shares the machine's huge pages and processors with the first.

second_node_name=enclave-node-2
second_node_gateway=10.210.1.1
second_node_address=10.210.1.2
# Of the pods' range; the first node counts from its beginning and does not get here.
second_node_pods=10.211.128.0/17
second_node_link=node2
second_node_state=$ENCLAVES_STATE/node2

second_node() {
    (($# == 1)) || usage
    if ! cluster_holder=$(holder_pid) || ! with_node; then
        fail "no cluster with a node runs" "dev/cluster up"
    fi
    holder=$cluster_holder
    case $1 in
    up) second_node_up ;;
    kill) end_second_node ;;
    down) second_node_down ;;
    *) usage ;;
    esac
}

second_node_up() {
    prepare_second_node
    (
        as_second_node
        start_second_holder
        make_cgroups
        connect_second_node
        write_node_settings
        start_daemon containerd /usr/bin/containerd --config "$node_settings/containerd.toml"
        wait_daemon 120 containerd containerd_serves
        import_pause_image
        start_kubelet
        start_device_plugin
        wait_daemon 120 kubelet node_is_ready
        wait_daemon 120 device-plugin enclaves_are_advertised
        step "the node $NODE_NAME is Ready"
    )
}

prepare_second_node() {
    node=true
    prepare_programs
    [[ -e $pki/kubelet-2.crt ]] || leaf kubelet-2 /CN=kubelet "$second_node_address" "$second_node_name"
    [[ -e $pki/node-2.crt ]] || leaf node-2 "/O=system:nodes/CN=system:node:$second_node_name"
    write_kubeconfig node-2 "$pki/node-2.kubeconfig"
}

# The functions of the first node, for the second.
as_second_node() {
    ENCLAVES_STATE=$second_node_state
    ENCLAVES_LOG=$ENCLAVES_STATE/log
    NODE_NAME=$second_node_name
    NODE_ADDRESS=$second_node_address
    POD_RANGE=$second_node_pods
    cluster_cgroup=$cluster_cgroup/node2
    node_settings=$ENCLAVES_STATE/node
    node_credentials=node-2
    kubelet_certificate=kubelet-2
}

start_second_holder() {
    mkdir -p "$ENCLAVES_STATE/run" "$ENCLAVES_STATE/saved" "$ENCLAVES_LOG"
    if holder=$(holder_pid) && [[ -e $ENCLAVES_STATE/run/holder.ready ]]; then
        return 0
    fi
    rm -rf "$ENCLAVES_STATE/run"
    mkdir "$ENCLAVES_STATE/run"
    # Within the cluster's namespaces: it ends with the cluster at the latest.
    setsid --fork nsenter --target "$cluster_holder" --net --mount --pid -- unshare --net --mount --pid --fork -- "$holder_program" "$ENCLAVES_STATE" \
        </dev/null >"$ENCLAVES_LOG/holder.log" 2>&1 9>&-
    wait_for 60 "the second node's namespaces" "$ENCLAVES_LOG/holder.log" test -e "$ENCLAVES_STATE/run/holder.ready"
    holder=$(holder_pid) || fail "the holder of the second node's namespaces ended at once" "read the log" "$ENCLAVES_LOG/holder.log"
}

connect_second_node() {
    inside ip link show "$second_node_link" >/dev/null 2>&1 && return 0
    in_cluster ip link delete "$second_node_link" 2>/dev/null || true
    logged "making the link to the second node" "$ENCLAVES_LOG/link.log" make_second_link
}

in_cluster() {
    nsenter --target "$cluster_holder" --net -- "$@"
}

make_second_link() {
    in_cluster ip link add "$second_node_link" type veth peer name "$second_node_link" netns "$holder" &&
        in_cluster ip address add "$second_node_gateway/24" dev "$second_node_link" &&
        in_cluster ip link set "$second_node_link" up &&
        in_cluster ip route add "$second_node_pods" via "$second_node_address" &&
        inside ip address add "$second_node_address/24" dev "$second_node_link" &&
        inside ip link set "$second_node_link" up &&
        # The cluster's own namespace has no way out of this machine.
        inside ip route add default via "$second_node_gateway"
}

# Without a word to anybody, as a machine whose power fails. The Node object stays.
end_second_node() {
    (
        as_second_node
        holder=$(holder_pid) || exit 0
        kill -KILL "$holder"
        wait_for 60 "the end of the second node's processes" "" holder_is_gone
    )
    in_cluster ip link delete "$second_node_link" 2>/dev/null || true
}

second_node_down() {
    end_second_node
    kube delete node "$second_node_name" --ignore-not-found --timeout=60s >/dev/null
    local folder
    for folder in /sys/fs/cgroup/*/"$cluster_cgroup/node2" "/sys/fs/cgroup/$cluster_cgroup/node2"; do
        [[ -d $folder ]] || continue
        wait_for 20 "removal of the cgroup $folder" "" remove_cgroup_tree "$folder"
    done
    rm -rf --one-file-system "$second_node_state"
    step "the second node is gone"
}
