# The root file system of the enclave image, and its manifest: each file with where it comes from.
# shellcheck shell=bash

# enclave_root WORK ORCHESTRATOR AUTHORITIES [KERNEL]: fills WORK/root, WORK/vmlinuz and WORK/manifest.txt.
enclave_root() {
    local work=$1 root=$1/root programs package
    programs=$(package_tree ca-certificates catatonit containerd crun libc6 libssl3)
    : >"$work/reasons"
    folders "$root"
    copy_program "$programs" "$root" /usr/bin/containerd /usr/bin/containerd-shim-runc-v2 /usr/bin/crun
    because "$work" "containerd $(package_version containerd)" /usr/bin/containerd /usr/bin/containerd-shim-runc-v2
    because "$work" "crun $(package_version crun)" /usr/bin/crun
    # A kernel of somebody's own has all it needs built in, and would not load another kernel's modules.
    if [[ -n ${4:-} ]]; then
        cp "$4" "$work/vmlinuz"
    else
        package=$(kernel_package)
        kernel_and_modules "$work" "$package"
    fi
    trusted_authorities "$work" "$programs" "$3"
    pause_image "$work" "$programs"
    own_files "$work"
    orchestrator_as_init "$work" "$programs" "$2"
    write_manifest "$work"
}

# because WORK REASON PATH…: notes for the manifest why the files are in the image.
because() {
    local work=$1 reason=$2 path
    shift 2
    for path in "$@"; do
        printf '%s\t%s\n' "$path" "$reason" >>"$work/reasons"
    done
}

# The empty ones are mount points.
folders() {
    mkdir -p "$1"/{dev,etc/containerd/certs.d,etc/enclave,proc,root,run,sys,tmp,usr/bin,var/lib/containerd,var/log/pods}
    chmod 700 "$1/root"
}

# kernel_package: the name of the package with the kernel itself, which the meta package points to.
kernel_package() {
    local name
    name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
    [[ -n $name ]] || fail "apt knows no package linux-image-cloud-amd64" "run apt-get update and look at the apt sources"
    printf '%s\n' "$name"
}

package_version() {
    apt-cache policy "$1" | awk '/Candidate:/ { print $2 }'
}

# kernel_tree PACKAGE: the kernel's package alone; what it depends on is for installing it, not for starting it.
kernel_tree() {
    local package=$1 tree work
    tree=$ENCLAVES_CACHE/packages/$package-$(package_version "$package")
    if [[ ! -d $tree ]]; then
        progress "fetching $package"
        mkdir -p "$ENCLAVES_CACHE/packages"
        work=$(mktemp -d -p "$ENCLAVES_CACHE/packages" kernel.XXXXXX)
        (cd "$work" && logged "fetching $package" "$work/log" apt-get -q -o APT::Sandbox::User=root download "$package")
        dpkg-deb --extract "$work/$package"_*.deb "$work/tree"
        # Another run may have been faster: its folder holds the same.
        mv -T "$work/tree" "$tree" 2>/dev/null || [[ -d $tree ]]
        rm -rf "$work"
    fi
    printf '%s\n' "$tree"
}

# kernel_and_modules WORK PACKAGE: the kernel, and the few modules in the order they are loaded in.
kernel_and_modules() {
    local work=$1 package=$2 tree modules=$1/root/usr/lib/modules module found
    tree=$(kernel_tree "$package")
    cp "$tree"/boot/vmlinuz-* "$work/vmlinuz"
    mkdir -p "$modules"
    while read -r module; do
        found=$(find "$tree/lib/modules" -name "$module.ko")
        [[ -n $found ]] || fail "the package $package has no module $module" "mend dev/enclave/modules"
        install -m 644 "$found" "$modules/$module.ko"
        printf '/usr/lib/modules/%s.ko\n' "$module" >>"$work/root/etc/enclave/modules"
        because "$work" "$package $(package_version "$package")" "/usr/lib/modules/$module.ko"
    done <"$ENCLAVES_REPOSITORY/dev/enclave/modules"
    because "$work" "the modules in load order" /etc/enclave/modules
}

trusted_authorities() {
    local work=$1 programs=$2 more=$3 bundle=$1/root/etc/ssl/certs/ca-certificates.crt
    mkdir -p "$(dirname "$bundle")"
    find "$programs/usr/share/ca-certificates/mozilla" -name '*.crt' -print0 | sort -z | xargs -0 cat >"$bundle"
    [[ -z $more ]] || cat "$more" >>"$bundle"
    because "$work" "ca-certificates $(package_version ca-certificates)${more:+ and --ca}" /etc/ssl/certs/ca-certificates.crt
}

# pause_image WORK TREE: the image of the pod sandbox, as an archive that the Orchestrator imports.
pause_image() {
    local work=$1 programs=$2 layout=$1/pause folder=$1/pause-root
    mkdir -p "$folder" "$work/root/usr/share/enclave"
    install -m 755 "$programs/usr/bin/catatonit" "$folder/pause"
    oci_image "$layout" '{"Entrypoint": ["/pause", "-P"]}' "$folder"
    tar --create --file "$work/root/usr/share/enclave/pause.tar" --directory "$layout" --sort=name --format=ustar \
        --numeric-owner --owner=0 --group=0 --mtime=@0 oci-layout index.json blobs
    because "$work" "pod sandbox image of catatonit $(package_version catatonit)" /usr/share/enclave/pause.tar
}

own_files() {
    local work=$1 source=$ENCLAVES_REPOSITORY/dev/enclave/root file
    while read -r file; do
        install -D -m 644 "$source/$file" "$work/root/$file"
        because "$work" "dev/enclave/root" "/$file"
    done < <(cd "$source" && find . -type f -printf '%P\n' | sort)
    ln -s /run/enclave/hosts "$work/root/etc/hosts"
    because "$work" "link to the table of host names that the Orchestrator writes" /etc/hosts
}

# orchestrator_as_init WORK TREE FILE: with the libraries it names, which must all be in the packages.
orchestrator_as_init() {
    local work=$1 programs=$2 file=$3 root=$1/root library folder listing
    install -m 755 "$file" "$root/init"
    because "$work" "the Orchestrator" /init
    while read -r library; do
        for folder in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64; do
            [[ -e $programs$folder/$library ]] || continue
            copy_file "$programs" "$root" "$folder/$library"
        done
    done < <(readelf --dynamic "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
    # .NET takes its digests from OpenSSL, which it opens by name at run time.
    for library in libssl.so.3 libcrypto.so.3; do
        copy_file "$programs" "$root" "/usr/lib/x86_64-linux-gnu/$library"
        because "$work" "libssl3 $(package_version libssl3), for the Orchestrator" "/usr/lib/x86_64-linux-gnu/$library"
    done
    listing=$(chroot "$root" /lib64/ld-linux-x86-64.so.2 --list /init 2>&1) ||
        fail "$file cannot be loaded with the libraries of the image: $listing" "is it a NativeAOT program for linux-x64?"
}

# write_manifest WORK: path, size and reason of every file and link; what no one gave a reason for is a library of the programs.
write_manifest() {
    local work=$1
    (cd "$work/root" && find . \( -type f -o -type l \) -printf '/%P\t%s\n' | sort) |
        awk -F '\t' -v OFS='\t' 'NR == FNR { reason[$1] = $2; next } { print $1, $2, ($1 in reason ? reason[$1] : "shared library that the programs load") }' \
            "$work/reasons" - >"$work/manifest.txt"
}
