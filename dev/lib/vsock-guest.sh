# A virtual machine whose kernel has both ends of vsock, with the program that tries them (Tests/VsockGuest).
# shellcheck shell=bash

# In load order.
vsock_guest_modules=(vsock vmw_vsock_virtio_transport_common vsock_loopback)

# vsock_guest: prints the folder with its vmlinuz and initrd.
vsock_guest() {
    local program folder
    program=$(publish_aot Tests/VsockGuest vsock-guest)
    folder=$images/vsock-guest-$({ inputs_digest vsock-guest && sha256sum <"$program"; } | sha256sum | cut -c1-16)
    if [[ ! -f $folder/initrd ]]; then
        rm -rf "$folder.part"
        mkdir -p "$folder.part/root"
        vsock_guest_root "$folder.part/root" "$folder.part/vmlinuz" "$program"
        (cd "$folder.part/root" && find . -mindepth 1 -print0 | sort -z | cpio --null --create --quiet --format=newc --owner=0:0) |
            gzip -1 >"$folder.part/initrd"
        rm -rf "$folder.part/root"
        mv -T "$folder.part" "$folder"
        forget_old vsock-guest
    fi
    printf '%s\n' "$folder"
}

# vsock_guest_root ROOT KERNEL PROGRAM
vsock_guest_root() {
    local root=$1 tree programs module found library
    tree=$(kernel_tree "$(kernel_package)")
    cp "$tree"/boot/vmlinuz-* "$2"
    programs=$(package_tree busybox-static libc6)
    mkdir -p "$root"/{bin,dev,proc,sys,tmp}
    cp "$programs/bin/busybox" "$root/bin/"
    install -m 755 "$3" "$root/vsock-guest"
    for library in /lib/x86_64-linux-gnu/{libc.so.6,libm.so.6} /lib64/ld-linux-x86-64.so.2; do
        copy_file "$programs" "$root" "$library"
    done
    for module in "${vsock_guest_modules[@]}"; do
        found=$(find "$tree/lib/modules" -name "$module.ko")
        [[ -n $found ]] || fail "the kernel's package has no module $module" "mend vsock_guest_modules in dev/lib/vsock-guest.sh"
        cp "$found" "$root/"
    done
    # shellcheck disable=SC2016
    {
        printf '#!/bin/busybox sh\n'
        printf 'busybox=/bin/busybox\n'
        printf '$busybox mount -t proc proc /proc; $busybox mount -t devtmpfs dev /dev; $busybox mount -t sysfs sys /sys\n'
        printf '$busybox insmod /%s.ko\n' "${vsock_guest_modules[@]}"
        printf '/vsock-guest\n'
        printf 'echo "vsock-guest ended with $?"\n'
        printf '$busybox poweroff -f\n'
    } >"$root/init"
    chmod 755 "$root/init"
}
