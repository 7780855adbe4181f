#!/usr/bin/env bash
# Starts one daemon in the background of the cluster's namespaces; returns when its record is written.
#
# usage: launch.sh NAME STATE CGROUP COMMAND…      (called by daemons.sh through nsenter)
set -euo pipefail
name=$1 state=$2 cgroup=$3
shift 3

join_cgroups() {
    local tasks
    for tasks in /sys/fs/cgroup/*/"$cgroup/daemons/cgroup.procs" "/sys/fs/cgroup/$cgroup/daemons/cgroup.procs"; do
        [[ ! -e $tasks ]] || echo 0 >"$tasks"
    done
}

become_daemon() {
    join_cgroups
    local line fields
    read -r line </proc/self/stat
    read -r -a fields <<<"${line##*) }"
    # exec keeps the process id and the start time.
    echo "$BASHPID ${fields[19]}" >"$state/run/$name.pid.new"
    mv "$state/run/$name.pid.new" "$state/run/$name.pid"
    exec "$@"
}

# What a daemon leaves there when it is killed goes with the state.
export TMPDIR=$state/tmp
mkdir -p "$TMPDIR"

cd /
if [[ ${ENCLAVES_LAUNCHED:-} == yes ]]; then
    unset ENCLAVES_LAUNCHED
    become_daemon "$@"
fi
rm -f "$state/run/$name.pid"
ENCLAVES_LAUNCHED=yes setsid --fork "$0" "$name" "$state" "$cgroup" "$@" </dev/null >>"$state/log/$name.log" 2>&1
for ((attempt = 0; attempt < 1200; attempt++)); do
    [[ -s $state/run/$name.pid ]] && exit 0
    sleep 0.05
done
echo "launch.sh: $name wrote no record within 60 s" >>"$state/log/$name.log"
exit 1
