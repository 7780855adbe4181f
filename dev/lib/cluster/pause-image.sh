# The image of a pod's sandbox: a shell that sleeps and reaps, as an OCI archive made on the spot.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

pause_image=enclaves.local/pause:1

# import_pause_image: puts it into containerd unless it is there.
import_pause_image() {
    [[ $(inside ctr --address "$containerd_socket" -n k8s.io images ls -q "name==$pause_image") == "$pause_image" ]] && return 0
    local work=$ENCLAVES_STATE/pause
    logged "making the pause image" "$ENCLAVES_LOG/pause-image.log" make_pause_archive "$work"
    logged "importing the pause image" "$ENCLAVES_LOG/pause-image.log" \
        inside ctr --address "$containerd_socket" -n k8s.io images import --base-name enclaves.local/pause "$work/image.tar"
    rm -rf "$work"
}

make_pause_archive() {
    local work=$1 layer config manifest
    rm -rf "$work"
    mkdir -p "$work/root/bin" "$work/image/blobs/sha256"
    cp /bin/busybox "$work/root/bin/sh"
    tar --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name -C "$work/root" -cf "$work/layer.tar" .
    layer=$(add_blob "$work" "$work/layer.tar")
    cat >"$work/config.json" <<END
{"architecture":"$(oci_architecture)","os":"linux",
"config":{"Entrypoint":["/bin/sh","-c","trap 'exit 0' TERM INT; while true; do sleep 86400 & wait \$!; done"]},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
END
    config=$(add_blob "$work" "$work/config.json")
    cat >"$work/manifest.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$(blob_size "$work" "$config")},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:$layer","size":$(blob_size "$work" "$layer")}]}
END
    manifest=$(add_blob "$work" "$work/manifest.json")
    cat >"$work/image/index.json" <<END
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$manifest",
"size":$(blob_size "$work" "$manifest"),"annotations":{"org.opencontainers.image.ref.name":"${pause_image#*:}"}}]}
END
    echo '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"
    tar -C "$work/image" -cf "$work/image.tar" .
}

# add_blob WORK FILE: moves the file to its place by digest and prints the digest.
add_blob() {
    local digest
    digest=$(sha256sum "$2" | cut -d ' ' -f 1)
    mv "$2" "$1/image/blobs/sha256/$digest"
    echo "$digest"
}

blob_size() {
    stat -c %s "$1/image/blobs/sha256/$2"
}

oci_architecture() {
    case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
    esac
}
