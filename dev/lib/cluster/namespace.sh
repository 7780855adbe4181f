# The cluster's namespaces: their holder, the link to the machine, the cgroups, the folders.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings
#
# Everything of the cluster runs in one network, mount and pid namespace that a single process holds
# (holder.sh). Ending that process ends the cluster, whatever state it is in.

link_host=enclaves0
link_node=node0
# The name of the cluster's cgroup in every hierarchy: enclaves-dev unless the state is elsewhere.
cluster_cgroup=$(basename "$ENCLAVES_STATE")
holder_program=$ENCLAVES_REPOSITORY/dev/lib/cluster/holder.sh
state_mark=$ENCLAVES_STATE/.enclaves-dev

# holder_pid: the holder's process id as the machine sees it; status 1 when there is none.
# It is found by its command line rather than by a record, so no crash can lose it. The state folder
# tells clusters apart, and being the first of a pid namespace tells it from its own children.
holder_pid() {
    local file words
    for file in /proc/[0-9]*/cmdline; do
        mapfile -d '' -t words 2>/dev/null <"$file" || continue
        if [[ ${#words[@]} == 3 && ${words[1]} == */dev/lib/cluster/holder.sh && ${words[2]} == "$ENCLAVES_STATE" ]]; then
            file=${file%/cmdline}
            grep -q '^NSpid:.*[[:space:]]1$' "$file/status" || continue
            echo "${file#/proc/}"
            return 0
        fi
    done 2>/dev/null
    return 1
}

# inside COMMAND…: runs a command in the cluster's namespaces.
inside() {
    nsenter --target "$holder" --net --mount --pid -- "$@"
}

# Nothing is written to, or removed from, a folder that is not a cluster's.
refuse_foreign_state() {
    [[ $ENCLAVES_STATE == /* && $ENCLAVES_STATE != /run/* ]] ||
        fail "ENCLAVES_STATE=$ENCLAVES_STATE does not do" "choose an absolute path outside /run, which the cluster covers with its own"
    if [[ -d $ENCLAVES_STATE && ! -e $state_mark && -n $(ls -A "$ENCLAVES_STATE") ]]; then
        fail "$ENCLAVES_STATE holds files that are not of a development cluster" "choose another folder with ENCLAVES_STATE"
    fi
}

prepare_state() {
    mkdir -p "$ENCLAVES_STATE" "$ENCLAVES_LOG" "$ENCLAVES_STATE/run" "$ENCLAVES_STATE/saved"
    touch "$state_mark"
    # Mount points that the machine may not have; those made here go away with the cluster.
    local folder
    for folder in /var/lib/kubelet /var/lib/cni; do
        [[ -d $folder ]] && continue
        echo "$folder" >>"$ENCLAVES_STATE/saved/made-folders"
        mkdir -p "$folder"
    done
}

start_holder() {
    if holder=$(holder_pid) && [[ -e $ENCLAVES_STATE/run/holder.ready ]]; then
        return 0
    fi
    # A start that was cut off, or a cluster whose processes were all killed: what it left is cleared away.
    if [[ -n $holder || -e $state_mark ]]; then
        step "clearing away what is left of an earlier cluster"
        cluster_down
    fi
    step "making the cluster's namespaces"
    prepare_state
    # Its own session and no open file of this script: it outlives the terminal.
    setsid --fork unshare --net --mount --pid --fork -- "$holder_program" "$ENCLAVES_STATE" \
        </dev/null >"$ENCLAVES_LOG/holder.log" 2>&1 9>&-
    wait_for 60 "the cluster's namespaces" "$ENCLAVES_LOG/holder.log" test -e "$ENCLAVES_STATE/run/holder.ready"
    holder=$(holder_pid) || fail "the holder of the cluster's namespaces ended at once" "read the log" "$ENCLAVES_LOG/holder.log"
}

holder_is_gone() {
    ! holder_pid >/dev/null
}

# The veth pair, its addresses, and the machine's routes to pods and Services.
connect_link() {
    if inside ip link show "$link_node" >/dev/null 2>&1 && ip -4 route show "$SERVICE_RANGE" | grep -q "$link_host"; then
        return 0
    fi
    refuse_taken_addresses
    ip link delete "$link_host" 2>/dev/null || true
    logged "making the link to the cluster" "$ENCLAVES_LOG/link.log" make_link
}

make_link() {
    ip link add "$link_host" type veth peer name "$link_node" netns "$holder" &&
        ip address add "$HOST_ADDRESS/24" dev "$link_host" &&
        ip link set "$link_host" up &&
        inside ip address add "$NODE_ADDRESS/24" dev "$link_node" &&
        inside ip link set "$link_node" up &&
        # The node's own processes reach Services too: a packet needs a route before kube-proxy's rules
        # give it another destination. There is no default route: nothing leaves this machine.
        inside ip route add "$SERVICE_RANGE" dev "$link_node" src "$NODE_ADDRESS" &&
        ip route add "$POD_RANGE" via "$NODE_ADDRESS" &&
        ip route add "$SERVICE_RANGE" via "$NODE_ADDRESS"
}

refuse_taken_addresses() {
    local range taken
    for range in "$HOST_ADDRESS/24" "$POD_RANGE" "$SERVICE_RANGE"; do
        taken=$(ip -4 route show root "$(network_of "$range")" | grep -v " dev $link_host" || true)
        [[ -z $taken ]] || fail "the machine already has a route in the cluster's range $range: $taken" \
            "remove that route or interface, or run this on another machine"
    done
}

# The link of a cluster with another state folder is not to be taken away from it.
refuse_second_cluster() {
    local other
    other=$(other_cluster) || return 0
    fail "a cluster with the state folder $other runs already, and its addresses exist once only" \
        "ENCLAVES_STATE=$other dev/cluster down"
}

# other_cluster: the state folder of a cluster that is not ours and runs beside us on this machine's
# network; status 1 when there is none.
other_cluster() {
    ip link show "$link_host" >/dev/null 2>&1 || return 1
    local file words
    for file in /proc/[0-9]*/cmdline; do
        mapfile -d '' -t words 2>/dev/null <"$file" || continue
        if [[ ${#words[@]} == 3 && ${words[1]} == */dev/lib/cluster/holder.sh && ${words[2]} != "$ENCLAVES_STATE" && ${words[2]} != */node2 ]]; then
            echo "${words[2]}"
            return 0
        fi
    done 2>/dev/null
    return 1
}

# network_of ADDRESS/24-or-16: the network itself, as ip route wants it.
network_of() {
    echo "${1%.*}.0/${1#*/}"
}

cgroup_control=/sys/fs/cgroup/cgroup.subtree_control

# cgroup_hierarchies: the folders that hold a cgroup tree, as seen in the cluster's namespace.
cgroup_hierarchies() {
    if [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]; then
        echo /sys/fs/cgroup
    else
        # shellcheck disable=SC2016 # expanded by the inner shell
        inside sh -c 'for folder in /sys/fs/cgroup/*/; do echo "${folder%/}"; done'
    fi
}

# The cgroups of the cluster: daemons beside pods, so that memory can be read and nothing strays.
make_cgroups() {
    local hierarchy
    # With cgroup v2 the machine's root group passes on more controllers than before; what it did before is kept for the end.
    if [[ -f $cgroup_control && ! -e $ENCLAVES_STATE/saved/cgroup-controllers ]]; then
        cat "$cgroup_control" >"$ENCLAVES_STATE/saved/cgroup-controllers"
    fi
    while read -r hierarchy; do
        # shellcheck disable=SC2016 # expanded by the inner shell
        inside sh -ec '
            if [ -f "$1/cgroup.subtree_control" ]; then
                for controller in $(cat "$1/cgroup.controllers"); do
                    echo "+$controller" >"$1/cgroup.subtree_control" || true
                done
            fi
            mkdir -p "$1/$2"
            if [ -f "$1/cpuset.cpus" ]; then
                for file in cpuset.cpus cpuset.mems; do cat "$1/$file" >"$1/$2/$file"; done
                echo 1 >"$1/$2/cgroup.clone_children"
            fi
            mkdir -p "$1/$2/daemons"' sh "$hierarchy" "$cluster_cgroup" >>"$ENCLAVES_LOG/cgroups.log" 2>&1 ||
            fail "the cgroup $hierarchy/$cluster_cgroup could not be made" "see whether cgroups are writable here" "$ENCLAVES_LOG/cgroups.log"
    done < <(cgroup_hierarchies)
}

# namespaces_up: sets $holder.
namespaces_up() {
    refuse_foreign_state
    holder_pid >/dev/null || refuse_second_cluster
    start_holder
    make_cgroups
    connect_link
}
