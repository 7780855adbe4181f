# Starting, checking and ending the daemons of the cluster, each by its name.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings
#
# A record in STATE/run/NAME.pid holds the process id inside the pid namespace and the start time,
# so that an id that was used again is never taken for the daemon.

# daemon_pid NAME: the id inside the namespace of a daemon that is alive; status 1 otherwise.
daemon_pid() {
    local pid started
    read -r pid started 2>/dev/null <"$ENCLAVES_STATE/run/$1.pid" || return 1
    [[ $(process_start "/proc/$holder/root/proc/$pid/stat") == "$started" ]] || return 1
    echo "$pid"
}

is_alive() {
    daemon_pid "$1" >/dev/null
}

# process_start STAT-FILE: field 22, counted from behind the name, which may hold spaces.
process_start() {
    local line fields
    { read -r line <"$1"; } 2>/dev/null || return 0
    read -r -a fields <<<"${line##*) }"
    # A zombie is not alive.
    [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# start_daemon NAME COMMAND…: starts it inside unless it is alive. Its output goes to its log.
start_daemon() {
    local name=$1
    shift
    is_alive "$name" && return 0
    progress "starting $name"
    inside "$ENCLAVES_REPOSITORY/dev/lib/cluster/launch.sh" "$name" "$ENCLAVES_STATE" "$cluster_cgroup" "$@" 9>&- ||
        fail "$name could not be started" "read the log" "$ENCLAVES_LOG/$name.log"
    changed=true
}

# wait_daemon SECONDS NAME COMMAND…: waits until the command succeeds; fails at once when the daemon died.
wait_daemon() {
    local seconds=$1 name=$2
    shift 2
    daemon_died=
    wait_for "$seconds" "readiness of $name" "$ENCLAVES_LOG/$name.log" ready_or_dead "$name" "$@"
    [[ -z $daemon_died ]] || fail "$name ended while it started" "read the log; then run 'dev/cluster up' again" "$ENCLAVES_LOG/$name.log"
}

ready_or_dead() {
    local name=$1
    shift
    "$@" && return 0
    is_alive "$name" && return 1
    daemon_died=$name
}

# stop_daemon NAME: ends it, with 10 s for an orderly end.
stop_daemon() {
    local name=$1 pid
    pid=$(daemon_pid "$name") || return 0
    inside kill -TERM "$pid" || return 0
    local deadline=$((SECONDS + 10))
    while is_alive "$name" && ((SECONDS < deadline)); do
        sleep 0.1
    done
    if is_alive "$name"; then
        inside kill -KILL "$pid" || true
        wait_for 10 "the end of $name" "$ENCLAVES_LOG/$name.log" is_dead "$name"
    fi
}

is_dead() {
    ! is_alive "$1"
}

# resident_mebibytes NAME: what the daemon's process keeps in memory.
resident_mebibytes() {
    local pid
    pid=$(daemon_pid "$1") || return 1
    awk '/^VmRSS:/ { printf "%d", $2 / 1024 }' "/proc/$holder/root/proc/$pid/status"
}
