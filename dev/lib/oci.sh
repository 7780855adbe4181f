# OCI images from folders, without a container engine, and their way into a registry.
# shellcheck shell=bash
#
# The same folders give the same bytes: names are sorted, owners and times fixed.

# oci_layer LAYOUT FOLDER: adds the folder as one uncompressed layer; prints "digest size".
oci_layer() {
    local layout=$1 folder=$2 file digest
    mkdir -p "$layout/blobs/sha256"
    file=$(mktemp -p "$layout")
    tar --create --file "$file" --directory "$folder" --sort=name --format=posix --numeric-owner --owner=0 --group=0 \
        --mtime=@0 --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime .
    digest=$(oci_blob "$layout" "$file")
    printf '%s %s\n' "$digest" "$(stat -c %s "$layout/blobs/sha256/$digest")"
}

# oci_blob LAYOUT FILE: moves the file to its place; prints its digest.
oci_blob() {
    local digest
    digest=$(sha256sum "$2" | cut -d' ' -f1)
    chmod 644 "$2"
    mv "$2" "$1/blobs/sha256/$digest"
    printf '%s\n' "$digest"
}

# oci_image LAYOUT CONFIG FOLDER…: an image of one layer a folder; CONFIG is the JSON of the image's "config" member.
oci_image() {
    local layout=$1 config=$2 folder layers='[]' diffs='[]' digest size file config_digest
    shift 2
    rm -rf "$layout"
    mkdir -p "$layout/blobs/sha256"
    for folder in "$@"; do
        read -r digest size < <(oci_layer "$layout" "$folder")
        layers=$(jq -c --arg d "sha256:$digest" --argjson s "$size" '. + [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $d, size: $s}]' <<<"$layers")
        diffs=$(jq -c --arg d "sha256:$digest" '. + [$d]' <<<"$diffs")
    done
    file=$(mktemp -p "$layout")
    jq -c -n --argjson config "$config" --argjson diffs "$diffs" \
        '{architecture: "amd64", os: "linux", config: $config, rootfs: {type: "layers", diff_ids: $diffs}}' >"$file"
    size=$(stat -c %s "$file")
    config_digest=$(oci_blob "$layout" "$file")
    file=$(mktemp -p "$layout")
    jq -c -n --arg d "sha256:$config_digest" --argjson s "$size" --argjson layers "$layers" \
        '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $d, size: $s}, layers: $layers}' >"$file"
    size=$(stat -c %s "$file")
    digest=$(oci_blob "$layout" "$file")
    printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
    jq -c -n --arg d "sha256:$digest" --argjson s "$size" \
        '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s}]}' >"$layout/index.json"
}

# oci_digest LAYOUT: the digest of the image's manifest, with its algorithm.
oci_digest() {
    jq -r '.manifests[0].digest' "$1/index.json"
}

# need_registry: without the cluster its addresses are nobody's, or somebody else's: nothing may be sent there.
need_registry() {
    [[ -n $(ip -4 -oneline address show to "$HOST_ADDRESS") ]] || fail "the development cluster is not up, nor is its registry" "dev/cluster up"
}

# registry_digest REFERENCE: the digest that a tag of the development registry stands for; empty when there is none.
registry_digest() {
    local manifest
    manifest=$(mktemp)
    if timeout 60 skopeo inspect --raw --cert-dir "$ENCLAVES_CA/registry-trust" "docker://$1" >"$manifest" 2>/dev/null; then
        printf 'sha256:%s\n' "$(sha256sum "$manifest" | cut -d' ' -f1)"
    fi
    rm -f "$manifest"
}

# push_image LAYOUT REFERENCE: the bytes as they are, so that the digest stays the layout's.
push_image() {
    logged "pushing $2" "$ENCLAVES_LOG/images.log" \
        timeout 300 skopeo --insecure-policy copy --preserve-digests --dest-cert-dir "$ENCLAVES_CA/registry-trust" "oci:$1" "docker://$2"
}

# trust_registry: skopeo reads authorities from a folder of .crt files and takes any .key in it for a client's.
trust_registry() {
    mkdir -p "$ENCLAVES_CA/registry-trust"
    cp "$ENCLAVES_CA/ca.crt" "$ENCLAVES_CA/registry-trust/ca.crt"
}
