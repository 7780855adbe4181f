# The platform in the development cluster: namespace, chart.
# shellcheck shell=bash
#
# Every function may run twice: what is already as wished is left alone. Needs log.sh, paths.sh and kube.sh.

SYSTEM_NAMESPACE=enclaves-system
RELEASE=enclaves

# need_dotnet: the one thing that these scripts do not install.
need_dotnet() {
    local version
    version=$(dotnet --version 2>/dev/null) || version=none
    if [[ ! $version =~ ^[0-9]+ ]] || ((${version%%.*} < 10)); then
        fail "the .NET SDK 10 is needed, found: $version" "install the .NET 10 SDK so that 'dotnet --version' prints 10 or more"
    fi
}

# apply_namespace: what must exist before the chart.
apply_namespace() {
    # Labelled for API servers that do not set kubernetes.io/metadata.name: the webhooks leave this namespace out.
    kube apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Namespace
metadata:
  name: $SYSTEM_NAMESPACE
  labels:
    kubernetes.io/metadata.name: $SYSTEM_NAMESPACE
    k8s.oblv.com/ignore: "true"
YAML
}

# write_chart_values FILE: what the development cluster needs that differs from the chart's defaults.
write_chart_values() {
    # By variables: a failure inside the text below would go unnoticed.
    local webhook reconciler enclave_host enclave_image measurements
    webhook=$("$ENCLAVES_REPOSITORY/dev/images" reference webhook)
    reconciler=$("$ENCLAVES_REPOSITORY/dev/images" reference reconciler)
    enclave_host=$("$ENCLAVES_REPOSITORY/dev/images" reference enclave-host)
    enclave_image=$("$ENCLAVES_REPOSITORY/dev/images" enclave-image-folder)
    measurements=$(jq -c . "$enclave_image/measurements.json")
    cat >"$1" <<YAML
images:
  webhook: $webhook
  reconciler: $reconciler
  enclaveHost: $enclave_host
enclave:
  driver: qemu
  images:
    enclave.eif: $measurements
  # Two cores for everything: a pod that asked for those of its machine would find no node.
  machineCpu: 75m
  # The development registry listens on the node's own address, which egress refuses by default.
  allowDestinations:
    - $NODE_ADDRESS/32
webhook:
  # Two cores for everything: a late answer is no failure here.
  timeoutSeconds: 15
YAML
}

# release_status: deployed, failed, …; nothing where there is no release.
release_status() {
    helm_here status "$RELEASE" -o json 2>/dev/null | jq -r .info.status
}

# A helm that was killed leaves its release pending, and every later one refuses to go on.
clear_pending_release() {
    case $(release_status) in
    pending-install) logged "helm uninstall" "$ENCLAVES_LOG/helm.log" helm_here uninstall "$RELEASE" --wait --timeout 120s ;;
    pending-upgrade | pending-rollback) logged "helm rollback" "$ENCLAVES_LOG/helm.log" helm_here rollback "$RELEASE" --wait --timeout 180s ;;
    esac
}

helm_here() {
    helm --kubeconfig "$ENCLAVES_KUBECONFIG" -n "$SYSTEM_NAMESPACE" "$@"
}

# install_chart: helm upgrade, unless the same chart with the same values is deployed already.
install_chart() {
    local values=$ENCLAVES_STATE/chart-values.yaml digest recorded=$ENCLAVES_STATE/chart.digest
    write_chart_values "$values"
    digest=$(find "$ENCLAVES_REPOSITORY/charts/enclaves" -type f -print0 | sort -z | xargs -0 cat "$values" | sha256sum)
    [[ -f $recorded && $(<"$recorded") == "$digest" && $(release_status) == deployed ]] && return
    step "installing the chart charts/enclaves (up to 7 min)"
    apply_namespace
    clear_pending_release
    logged "helm upgrade --install" "$ENCLAVES_LOG/helm.log" helm_here upgrade --install "$RELEASE" \
        "$ENCLAVES_REPOSITORY/charts/enclaves" -f "$values" --wait --timeout 420s
    printf '%s' "$digest" >"$recorded"
}

# platform_up: cluster, images in its registry, chart.
platform_up() {
    "$ENCLAVES_REPOSITORY/dev/cluster" up
    "$ENCLAVES_REPOSITORY/dev/images" push
    install_chart
}
