#!/usr/bin/env bash
# The first process of the cluster's namespaces (network, mount, pid). It holds them and reaps what
# is left to it; when it dies, the kernel ends every process, mount and interface of the cluster.
#
# usage: holder.sh STATE      (started by namespace.sh under unshare, never by hand)
#
# The mounts made here exist in this namespace only. They give the node private copies of the few
# paths that a kubelet, containerd and CNI plugins have built in, so nothing of the machine's own is touched.
set -euo pipefail
state=$1
ready=$state/run/holder.ready

# private PATH NAME: PATH shows the folder STATE/NAME.
private() {
    mkdir -p "$state/$2"
    mount --bind "$state/$2" "$1"
}

# A kubelet sets these for the whole machine. It reads back what it wants from private files instead,
# and the machine keeps its own values.
shield_kernel_settings() {
    local setting path
    mkdir -p "$state/sysctl"
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        path=${setting%%=*}
        [[ -e /proc/sys/$path ]] || continue
        echo "${setting#*=}" >"$state/sysctl/${path//\//.}"
        mount --bind "$state/sysctl/${path//\//.}" "/proc/sys/$path"
    done
}

# A small machine has too few processors for an enclave's request beside the system's own pods. The node
# claims eight then: the scheduler places pods by that, and they share the real ones.
claim_processors() {
    local real claimed=8 folder=$state/processors index
    real=$(nproc)
    ((real < claimed)) || return 0
    [[ -d /sys/devices/system/node/node0 && ! -e /sys/devices/system/node/node1 ]] || return 0
    mkdir -p "$folder/real" "$folder/claimed/node0"
    mount --bind /sys/devices/system/node "$folder/real"
    for index in meminfo hugepages distance; do
        ln -s "$folder/real/node0/$index" "$folder/claimed/node0/$index"
    done
    for ((index = 0; index < claimed; index++)); do
        mkdir "$folder/claimed/node0/cpu$index"
        echo 1 >"$folder/claimed/node0/cpu$index/online"
        ln -s "/sys/devices/system/cpu/cpu$((index % real))"/{topology,cache} "$folder/claimed/node0/cpu$index/"
    done
    echo "0-$((claimed - 1))" | tee "$folder/claimed/online" >"$folder/online"
    mount --bind "$folder/claimed" /sys/devices/system/node
    mount --bind "$folder/online" /sys/devices/system/cpu/online
}

# The cluster has no DNS. Without this, pods would be given the machine's name servers, which they
# cannot reach; with an empty file a lookup fails at once.
hide_name_servers() {
    : >"$state/resolv.conf"
    if [[ -e /etc/resolv.conf ]]; then mount --bind "$state/resolv.conf" /etc/resolv.conf; fi
}

# With cgroup v1 the node sees each hierarchy that is mounted, and hugetlb, which often is not.
mount_cgroups() {
    [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && return 0
    local view=$state/cgroup hierarchy
    mkdir -p "$view"
    mount -t tmpfs -o mode=755 enclaves-cgroup "$view"
    for hierarchy in /sys/fs/cgroup/*/; do
        hierarchy=$(basename "$hierarchy")
        [[ -f /sys/fs/cgroup/$hierarchy/cgroup.clone_children ]] || continue
        mkdir "$view/$hierarchy"
        mount --bind "/sys/fs/cgroup/$hierarchy" "$view/$hierarchy"
    done
    if [[ ! -d $view/hugetlb ]] && grep -q '^hugetlb.*1$' /proc/cgroups; then
        mkdir "$view/hugetlb"
        mount -t cgroup -o hugetlb enclaves-hugetlb "$view/hugetlb"
    fi
    mount --move "$view" /sys/fs/cgroup
}

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 enclaves-run /run
mkdir -p /run/lock
private /var/log var-log
private /var/lib/kubelet kubelet
private /var/lib/cni cni
shield_kernel_settings
claim_processors
hide_name_servers
mount_cgroups
# Pods may ask for mounts that propagate; the peers are this namespace's own.
mount --make-rshared /
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
touch "$ready"

# bash reaps the processes that are handed to the first process of a pid namespace.
while true; do
    sleep 86400 &
    wait "$!" || true
done
