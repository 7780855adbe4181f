# kubectl as the development cluster's administrator. Needs paths.sh.
# shellcheck shell=bash

# Discovery documents would otherwise stay in the home folder.
export KUBECACHEDIR=$ENCLAVES_STATE/kube-cache

kube() {
    kubectl --kubeconfig "$ENCLAVES_KUBECONFIG" "$@"
}

# kube_get ARGUMENT…: a look that a loop repeats; a server that hangs must not keep it from its deadline.
kube_get() {
    kube --request-timeout=20s get "$@"
}
