# Ending the cluster without a trace, from any state it may be in.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

cluster_down() {
    refuse_foreign_state
    end_processes
    remove_link
    remove_cgroups
    restore_controllers
    restore_hugepages
    remove_made_folders
    remove_state
}

# The kernel ends everything in the pid namespace with its first process, virtual machines included.
end_processes() {
    holder=$(holder_pid) || return 0
    step "ending the cluster's processes"
    kill -KILL "$holder"
    wait_for 60 "the end of the cluster's processes" "" holder_is_gone
}

# The interface goes with its namespace, which the kernel takes down a little later.
remove_link() {
    ip link show "$link_host" >/dev/null 2>&1 || return 0
    other_cluster >/dev/null && return 0
    ip link delete "$link_host" 2>/dev/null || true
    wait_for 20 "the end of the interface $link_host" "" link_is_gone
}

link_is_gone() {
    ! ip link show "$link_host"
}

# The hierarchies of the machine, and with cgroup v1 the hugetlb one that only the cluster had mounted.
remove_cgroups() {
    local folder hugetlb=
    if [[ ! -f /sys/fs/cgroup/cgroup.controllers && ! -d /sys/fs/cgroup/hugetlb ]] && grep -q '^hugetlb.*1$' /proc/cgroups; then
        hugetlb=$(mktemp -d -t enclaves-hugetlb.XXXXXX)
        mount -t cgroup -o hugetlb enclaves-hugetlb "$hugetlb" 2>/dev/null || { rmdir "$hugetlb" && hugetlb=; }
    fi
    for folder in /sys/fs/cgroup/*/"$cluster_cgroup" "/sys/fs/cgroup/$cluster_cgroup" ${hugetlb:+"$hugetlb/$cluster_cgroup"}; do
        [[ -d $folder ]] || continue
        wait_for 20 "removal of the cgroup $folder" "" remove_cgroup_tree "$folder"
    done
    if [[ -n $hugetlb ]]; then
        umount "$hugetlb"
        rmdir "$hugetlb"
    fi
}

remove_cgroup_tree() {
    find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    [[ ! -d $1 ]]
}

# A controller that something else has begun to use meanwhile stays.
restore_controllers() {
    local saved=$ENCLAVES_STATE/saved/cgroup-controllers before controller
    [[ -e $saved ]] || return 0
    before=" $(<"$saved") "
    for controller in $(<"$cgroup_control"); do
        [[ $before == *" $controller "* ]] || echo "-$controller" 2>/dev/null >"$cgroup_control" || true
    done
    rm -f "$saved"
}

restore_hugepages() {
    local saved=$ENCLAVES_STATE/saved/nr_hugepages
    [[ -s $saved ]] || return 0
    cat "$saved" >/proc/sys/vm/nr_hugepages
    rm -f "$saved"
}

# Mount points that the machine did not have; they are empty unless something else uses them now.
remove_made_folders() {
    local list=$ENCLAVES_STATE/saved/made-folders folder
    [[ -s $list ]] || return 0
    while read -r folder; do
        rmdir "$folder" 2>/dev/null || true
    done <"$list"
    rm -f "$list"
}

remove_state() {
    [[ -e $ENCLAVES_STATE ]] || return 0
    # The mark goes last, so that a removal that was cut off can be finished.
    find "$ENCLAVES_STATE" -mindepth 1 -maxdepth 1 ! -path "$state_mark" -exec rm -rf --one-file-system {} +
    rm -f "$state_mark"
    rmdir "$ENCLAVES_STATE"
}
