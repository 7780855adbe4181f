# How the image of each part is put together. Each build_… function fills FOLDER/layout.
# shellcheck shell=bash

unprivileged='{"User": "65532:65532", "Env": ["PATH=/usr/bin:/bin", "DOTNET_EnableDiagnostics=0", "DOTNET_NOLOGO=1"]}'

# of_this_checkout FOLDER: empties it of what another checkout has compiled. Whether that is up to date is told by the files' times, and
# those of two checkouts say nothing about each other.
of_this_checkout() {
    if [[ $(cat "$1/checkout" 2>/dev/null) != "$ENCLAVES_REPOSITORY" ]]; then
        rm -rf "$1"
        mkdir -p "$1"
        printf '%s\n' "$ENCLAVES_REPOSITORY" >"$1/checkout"
    fi
}

# publish PROJECT DESTINATION [OPTION…]
publish() {
    local project=$1 destination=$2
    shift 2
    of_this_checkout "$images/artifacts"
    progress "dotnet publish $project"
    # Output of its own: a build of the same project for the tests may be running. No server of the compiler outlives
    # it, and none inherits the lock.
    logged "dotnet publish $project" "$build_log" timeout 1200 dotnet publish "$ENCLAVES_REPOSITORY/$project" -c Release \
        --nologo -v quiet --artifacts-path "$images/artifacts" -o "$destination" \
        -nodeReuse:false -p:UseSharedCompilation=false "$@" 8>&-
    rm -f "$destination"/*.pdb "$destination"/*.dbg
}

# users_and_certificates TREE FOLDER: what any program expects to find.
users_and_certificates() {
    local tree=$1 folder=$2
    mkdir -p "$folder/etc/ssl/certs" "$folder/tmp" "$folder/run"
    chmod 1777 "$folder/tmp"
    printf 'root:x:0:0:root:/:/sbin/nologin\nenclaves:x:65532:65532:enclaves:/:/sbin/nologin\n' >"$folder/etc/passwd"
    printf 'root:x:0:\nenclaves:x:65532:\n' >"$folder/etc/group"
    printf 'hosts: files dns\n' >"$folder/etc/nsswitch.conf"
    find "$tree/usr/share/ca-certificates/mozilla" -name '*.crt' | LC_ALL=C sort | xargs cat >"$folder/etc/ssl/certs/ca-certificates.crt"
}

# aspnet_base FOLDER: the layer that Webhook and Reconciler share: C library, OpenSSL, and the runtime of the SDK.
aspnet_base() {
    local folder=$1 tree dotnet library
    tree=$(package_tree ca-certificates libc6 libgcc-s1 libssl3 libstdc++6 zlib1g)
    users_and_certificates "$tree" "$folder"
    for library in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 libnss_files.so.2 libnss_dns.so.2 libresolv.so.2 libz.so.1; do
        copy_file "$tree" "$folder" "/lib/x86_64-linux-gnu/$library"
    done
    for library in libssl.so.3 libcrypto.so.3 libstdc++.so.6; do
        copy_file "$tree" "$folder" "/usr/lib/x86_64-linux-gnu/$library"
    done
    copy_file "$tree" "$folder" /lib64/ld-linux-x86-64.so.2
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    mkdir -p "$folder/usr/share/dotnet/shared" "$folder/usr/share/dotnet/host" "$folder/usr/bin"
    cp "$dotnet/dotnet" "$folder/usr/share/dotnet/"
    ln -s ../share/dotnet/dotnet "$folder/usr/bin/dotnet"
    copy_newest "$dotnet/host/fxr" "$folder/usr/share/dotnet/host/fxr"
    copy_newest "$dotnet/shared/Microsoft.NETCore.App" "$folder/usr/share/dotnet/shared/Microsoft.NETCore.App"
    copy_newest "$dotnet/shared/Microsoft.AspNetCore.App" "$folder/usr/share/dotnet/shared/Microsoft.AspNetCore.App"
}

copy_newest() {
    local newest
    newest=$(find "$1" -mindepth 1 -maxdepth 1 -name '10.*' -printf '%f\n' | sort -V | tail -n 1)
    [[ -n $newest ]] || fail "no version 10 in $1" "install the .NET 10 SDK"
    mkdir -p "$2"
    cp -r "$1/$newest" "$2/"
}

# build_aspnet FOLDER PROJECT ASSEMBLY
build_aspnet() {
    local folder=$1 project=$2 assembly=$3
    mkdir -p "$folder/base" "$folder/app/app"
    aspnet_base "$folder/base"
    publish "$project" "$folder/app/app" --no-self-contained -p:UseAppHost=false
    oci_image "$folder/layout" "$(jq -c --arg dll "/app/$assembly.dll" \
        '. + {Entrypoint: ["/usr/bin/dotnet", $dll], WorkingDir: "/app"}' <<<"$unprivileged")" "$folder/base" "$folder/app"
}

build_webhook() {
    build_aspnet "$1" Webhook Enclaves.Webhook
}

build_reconciler() {
    build_aspnet "$1" Reconciler Enclaves.Reconciler
}

# publish_aot PROJECT PROGRAM: prints the path of the native program, compiled once for each content. The same sources give the same bytes in
# every checkout: no path of one is in them, nor the digest of a file of symbols, which has such paths.
publish_aot() {
    local project=$1 program=$2 folder
    folder=$images/native-$program-$(inputs_digest "native-$program")
    if [[ ! -x $folder/$program ]]; then
        rm -rf "$folder.part"
        publish "$project" "$folder.part" -r linux-x64 -p:DebugType=none \
            "-p:PathMap=$ENCLAVES_REPOSITORY=/_%2c$images/artifacts=/_artifacts" >&2
        mv -T "$folder.part" "$folder"
        forget_old "native-$program"
    fi
    printf '%s\n' "$folder/$program"
}

# enclave_image: prints the folder of the enclave image with the current Orchestrator, whose bytes count and not only its sources.
enclave_image() {
    local orchestrator host folder
    orchestrator=$(publish_aot Orchestrator orchestrator)
    folder=$images/enclave-image-$({ inputs_digest enclave-image && sha256sum <"$orchestrator"; } | sha256sum | cut -c1-16)
    if [[ ! -f $folder/SHA384SUMS ]]; then
        host=$(publish_aot EnclaveHost enclave-host)
        rm -rf "$folder.part"
        "$ENCLAVES_REPOSITORY/dev/image" --orchestrator "$orchestrator" --enclave-host "$host" --ca "$ENCLAVES_CA/ca.crt" --out "$folder.part" >&2
        mv -T "$folder.part" "$folder"
        forget_old enclave-image
    fi
    printf '%s\n' "$folder"
}

# compare_enclave_image: the same inputs must give the same bytes.
compare_enclave_image() {
    local first second file orchestrator host differences=()
    first=$(enclave_image)
    orchestrator=$(publish_aot Orchestrator orchestrator)
    host=$(publish_aot EnclaveHost enclave-host)
    second=$(mktemp -d -p "$images" second.XXXXXX)
    "$ENCLAVES_REPOSITORY/dev/image" --orchestrator "$orchestrator" --enclave-host "$host" --ca "$ENCLAVES_CA/ca.crt" --out "$second/image" >&2
    for file in "$first"/*; do
        cmp -s "$file" "$second/image/$(basename "$file")" || differences+=("$(basename "$file")")
    done
    rm -rf "$second"
    ((${#differences[@]} == 0)) || fail "a second build of the enclave image differs in: ${differences[*]}" "make what differs independent of time, order and place"
    printf 'the enclave image is the same, byte for byte: %s\n' "$first"
}

build_enclave_host() {
    local folder=$1 root=$1/root programs=$1/programs tree program image
    mkdir -p "$root/usr/bin" "$root/opt/enclaves/image" "$programs"
    tree=$(package_tree ca-certificates libssl3 qemu-system-x86 util-linux)
    users_and_certificates "$tree" "$programs"
    # Software emulation is a module that qemu loads by name.
    copy_program "$tree" "$programs" /usr/bin/qemu-system-x86_64 /usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so /usr/bin/setpriv
    qemu_firmware "$tree" "$programs"
    # .NET takes its digests from OpenSSL, which it opens by name at run time.
    copy_program "$tree" "$programs" /usr/lib/x86_64-linux-gnu/libssl.so.3 /usr/lib/x86_64-linux-gnu/libcrypto.so.3
    install_vhost_device_vsock "$programs/usr/bin/vhost-device-vsock"
    program=$(publish_aot EnclaveHost enclave-host)
    cp "$program" "$root/usr/bin/"
    program=$(publish_aot Orchestrator orchestrator)
    cp "$program" "$root/usr/bin/"
    image=$(enclave_image)
    cp "$image"/* "$root/opt/enclaves/image/"
    # Programs change rarely and come first, so that a registry and a node hold them once.
    oci_image "$folder/layout" "$(jq -c '. + {Entrypoint: ["/usr/bin/enclave-host"]}' <<<"$unprivileged")" "$programs" "$root"
}

# qemu_firmware TREE FOLDER: what the q35 machine loads to start a kernel directly, without any option ROM of a network card.
qemu_firmware() {
    local tree=$1 folder=$2 file
    for file in linuxboot_dma.bin kvmvapic.bin; do
        copy_file "$tree" "$folder" "/usr/share/qemu/$file"
    done
    copy_file "$tree" "$folder" /usr/share/seabios/bios-256k.bin
}

build_hello() {
    local folder=$1 root=$1/root tree applet
    tree=$(package_tree busybox-static ucspi-tcp)
    mkdir -p "$root/bin" "$root/usr/bin"
    cp "$tree/bin/busybox" "$root/bin/"
    copy_program "$tree" "$root" /usr/bin/tcpserver
    for applet in sh uname kill; do ln -s busybox "$root/bin/$applet"; done
    install -m 755 "$ENCLAVES_REPOSITORY/samples/hello/serve" "$ENCLAVES_REPOSITORY/samples/hello/answer" "$root/usr/bin/"
    oci_image "$folder/layout" '{"User": "65532:65532", "Env": ["PATH=/usr/bin:/bin"], "Entrypoint": ["/usr/bin/serve"], "ExposedPorts": {"8080/tcp": {}}}' "$root"
}
