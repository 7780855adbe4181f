# vhost-device-vsock, the vsock device of the development enclaves, which Debian 12 does not have.
# shellcheck shell=bash
#
# Debian unstable's package asks for nothing but libc and libgcc and runs on Debian 12. It comes from the mirror that is
# configured, through lists of its own: the machine's apt never sees another suite. Signatures are verified as ever.

# install_vhost_device_vsock FILE: puts the program there, from the cache when it has been fetched before.
install_vhost_device_vsock() {
    local file=$1 cached=$ENCLAVES_CACHE/packages/vhost-device-vsock
    [[ -x $cached ]] || fetch_vhost_device_vsock "$cached"
    mkdir -p "$(dirname "$file")"
    install -m 755 "$cached" "$file"
}

fetch_vhost_device_vsock() {
    local cached=$1 work
    progress "fetching vhost-device-vsock from Debian unstable"
    mkdir -p "$ENCLAVES_CACHE/packages"
    work=$(mktemp -d -p "$ENCLAVES_CACHE/packages" vsock.XXXXXX)
    mkdir -p "$work/sources" "$work/lists/partial" "$work/archives/partial"
    write_debian_sources "$work/sources" deb sid
    logged "reading the package lists of Debian unstable" "$work/apt.log" unstable_apt "$work" update
    (cd "$work" && logged "fetching vhost-device-vsock" "$work/apt.log" unstable_apt "$work" download vhost-device-vsock)
    dpkg-deb --extract "$work"/vhost-device-vsock_*.deb "$work/tree"
    mv "$work/tree/usr/bin/vhost-device-vsock" "$cached"
    rm -rf "$work"
}

unstable_apt() {
    local work=$1
    shift
    # The sandbox user of apt has no way into the cache folder.
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources" -o "Dir::State::Lists=$work/lists" \
        -o "Dir::Cache::Archives=$work/archives" -o "Dir::Cache::pkgcache=$work/pkgcache" -o "Dir::Cache::srcpkgcache=$work/srcpkgcache" \
        -o APT::Sandbox::User=root "$@"
}
