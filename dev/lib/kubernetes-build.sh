#!/usr/bin/env bash
# Builds the Kubernetes programs of the development cluster from Debian's source package into the
# cache (kubernetes-1.20.2/bin), once. Under ten minutes on two idle cores.
#
# The programs appear all at once by a rename, so a build that was interrupted leaves nothing that
# looks finished. Everything else it needs (sources, Go's build cache) is removed at its end.
set -euo pipefail
# shellcheck source=dev/lib/log.sh
. "$(dirname "${BASH_SOURCE[0]}")/log.sh"
# shellcheck source=dev/lib/paths.sh
. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
# shellcheck source=dev/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

version=1.20.2
programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
target=$ENCLAVES_CACHE/kubernetes-$version
work=$ENCLAVES_CACHE/kubernetes-$version.building
log=$ENCLAVES_CACHE/kubernetes-$version.log
tree=$work/go/src/k8s.io/kubernetes

is_built() {
    local program
    for program in "${programs[@]}"; do
        [[ -x $target/bin/$program ]] || return 1
    done
}

compiler=

# The compiler has a process group of its own, which an interrupt of this script does not reach.
remove_work() {
    if [[ -n $compiler ]]; then
        kill -TERM -- "-$compiler" 2>/dev/null || true
        wait "$compiler" 2>/dev/null || true
    fi
    rm -rf "$work"
}

fetch_source() {
    step "fetching the Debian source package kubernetes"
    write_debian_sources "$work/apt/sources" deb-src
    logged "apt-get update for source packages" "$log" private_apt "$work/apt" update
    logged "fetching the source package" "$log" unpack_source
    mkdir -p "$(dirname "$tree")"
    mv "$work"/kubernetes-*/ "$tree"
}

unpack_source() (
    cd "$work"
    private_apt "$work/apt" source --only-source kubernetes
)

# The vendored reflect2 predates Go 1.18: with it the API server ends in a segmentation fault
# under load. Debian's own package of the library is the current one.
mend_reflect2() {
    local vendored=$tree/vendor/github.com/modern-go/reflect2
    local packaged=/usr/share/gocode/src/github.com/modern-go/reflect2
    [[ -f $packaged/reflect2.go ]] || fail "$packaged has no reflect2.go" \
        "see where dpkg -L golang-github-modern-go-reflect2-dev puts it and mend this script"
    rm -f "$vendored"/*.go "$vendored"/*.s
    cp "$packaged"/*.go "$packaged"/*.s "$vendored"/
    rm -f "$vendored"/*_test.go
}

# The source package is not a git checkout, so the version is told by a file.
write_version_file() {
    cat >"$work/version" <<END
KUBE_GIT_COMMIT=unknown
KUBE_GIT_TREE_STATE=archive
KUBE_GIT_VERSION=v$version
KUBE_GIT_MAJOR=1
KUBE_GIT_MINOR=20
END
}

run_make() (
    cd "$tree"
    export GOPATH=$work/go GOCACHE=$work/gocache CGO_ENABLED=0 GOFLAGS=-p=2
    export TMPDIR=$work/tmp KUBE_GIT_VERSION_FILE=$work/version
    mkdir -p "$TMPDIR"
    nice -n 10 make WHAT="${programs[*]/#/cmd/}"
)

compile() {
    step "compiling Kubernetes $version (about 10 minutes once; log: $log)"
    set -m
    run_make >>"$log" 2>&1 </dev/null 9>&- &
    compiler=$!
    set +m
    local started=$SECONDS
    while kill -0 "$compiler" 2>/dev/null; do
        sleep 1
        if (((SECONDS - started) % 60 == 0)); then
            progress "compiling for $((SECONDS - started)) s: $(tail -n 1 "$log" | cut -c 1-100)"
        fi
        if ((SECONDS - started > 3600)); then
            fail "compiling Kubernetes took more than an hour" "see what the machine is busy with, then run again" "$log"
        fi
    done
    wait "$compiler" || fail "compiling Kubernetes failed" "read the log $log" "$log"
    compiler=
}

install_programs() {
    local program ready=$work/ready
    mkdir -p "$ready/bin"
    for program in "${programs[@]}"; do
        cp "$tree/_output/local/go/bin/$program" "$ready/bin/" ||
            fail "the build left no $program" "read the log $log" "$log"
    done
    "$ready/bin/kube-apiserver" --version >>"$log"
    rm -rf "$target"
    mv "$ready" "$target"
}

build() {
    is_built && return 0
    need_packages golang-go golang-github-modern-go-reflect2-dev rsync jq make gcc dpkg-dev
    remove_work
    trap remove_work EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir -p "$work"
    : >"$log"
    fetch_source
    mend_reflect2
    write_version_file
    compile
    install_programs
    step "Kubernetes $version is in $target/bin"
}

mkdir -p "$ENCLAVES_CACHE"
# Two builds at once would use the same folder; the second one waits and then finds the result.
exec 9>"$ENCLAVES_CACHE/kubernetes-$version.lock"
flock -w 3600 9 || fail "another build of Kubernetes has held its lock for an hour" "end that process, then run again"
build
