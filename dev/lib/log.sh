# Progress and errors of the development scripts, all on standard error.
# shellcheck shell=bash
#
# A step that takes longer than a few seconds says what it does before it starts. A step that
# fails says which one, why, where its log is and what to do: see fail.

# log_name is what the lines start with; a script may set its own before it sources this file.
log_name=${log_name:-$(basename "$0")}

# step TEXT: a new step begins.
step() {
    printf '%s: %s\n' "$log_name" "$*" >&2
}

# progress TEXT: a detail of the current step.
progress() {
    printf '%s:   %s\n' "$log_name" "$*" >&2
}

# warn TEXT: something is not as wished, and the script goes on.
warn() {
    printf '%s: warning: %s\n' "$log_name" "$*" >&2
}

# fail WHAT [NEXT] [LOG]: prints what failed, the last lines of its log, and what to do; exits 1.
fail() {
    local what=$1 next=${2:-} log=${3:-}
    printf '%s: error: %s\n' "$log_name" "$what" >&2
    if [[ -n $log && -s $log ]]; then
        printf '%s:   the end of %s:\n' "$log_name" "$log" >&2
        tail -n 15 "$log" | sed "s|^|$log_name:     |" >&2
    elif [[ -n $log ]]; then
        printf '%s:   its log %s is empty or absent\n' "$log_name" "$log" >&2
    fi
    if [[ -n $next ]]; then
        printf '%s:   what to do: %s\n' "$log_name" "$next" >&2
    fi
    exit 1
}

need_root() {
    ((EUID == 0)) || fail "$log_name must run as root: the cluster's namespaces, mounts and cgroups are root's" "run: sudo $log_name"
}

# logged NAME LOG COMMAND…: runs a command with its output in a log, and says which one failed.
logged() {
    local name=$1 log=$2
    shift 2
    mkdir -p "$(dirname "$log")"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        fail "$name failed" "read the log, mend the cause and run the same command again" "$log"
    fi
}

# wait_for SECONDS WHAT LOG COMMAND…: repeats a quiet command until it succeeds, or fails in time.
wait_for() {
    local seconds=$1 what=$2 log=$3
    shift 3
    local deadline=$((SECONDS + seconds)) told=$((SECONDS + 5))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then
            fail "$what did not happen within $seconds s" "read the log; then run the same command again" "$log"
        fi
        if ((SECONDS >= told)); then
            progress "waiting: $what"
            told=$((SECONDS + 10))
        fi
        sleep 0.1
    done
}
