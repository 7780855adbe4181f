# Where the development scripts keep things, and the addresses of the development cluster.
# shellcheck shell=bash disable=SC2034
#
# Two folders only: a cache that survives, and the state of the running cluster, which
# `dev/cluster down` removes as a whole. Both can be moved by environment variables.

ENCLAVES_REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ENCLAVES_CACHE=${ENCLAVES_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/enclaves}
ENCLAVES_STATE=${ENCLAVES_STATE:-/var/lib/enclaves-dev}
ENCLAVES_LOG=$ENCLAVES_STATE/log
ENCLAVES_KUBECONFIG=$ENCLAVES_STATE/kubeconfig

# Tools that were fetched because the machine has none that is recent enough (kubectl, helm).
ENCLAVES_BIN=$ENCLAVES_CACHE/bin
# The development certificate authority: ca.crt and ca.key.
ENCLAVES_CA=$ENCLAVES_CACHE/ca

# The cluster lives in network namespaces of its own; these addresses exist on this machine only.
HOST_ADDRESS=10.210.0.1
NODE_ADDRESS=10.210.0.2
POD_RANGE=10.211.0.0/16
SERVICE_RANGE=10.212.0.0/16
NODE_NAME=enclave-node
API_SERVER=https://$NODE_ADDRESS:6443
REGISTRY=$NODE_ADDRESS:5000

export ENCLAVES_CACHE ENCLAVES_STATE
case :$PATH: in
*":$ENCLAVES_BIN:"*) ;;
*) PATH=$ENCLAVES_BIN:$PATH ;;
esac
case :$PATH: in
*:/usr/sbin:*) ;;
*) PATH=$PATH:/usr/sbin:/sbin ;;
esac
