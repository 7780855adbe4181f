# Programs for images, taken from Debian packages and never from the running system.
# shellcheck shell=bash
#
# package_tree gives a folder in the cache that holds packages and all they depend on, unpacked;
# copy_program takes one program and the shared libraries it really loads out of such a folder.

# package_tree PACKAGE…: prints the folder. Its name changes with any package's version, so it is never stale.
package_tree() {
    local list tree
    list=$(closure "$@" | sort)
    [[ -n $list ]] || fail "apt knows no candidate for: $*" "run apt-get update and look at the apt sources"
    tree=$ENCLAVES_CACHE/packages/tree-$(sha256sum <<<"$list" | cut -c1-16)
    if [[ ! -d $tree ]]; then
        progress "fetching and unpacking $(wc -l <<<"$list") packages for: $*"
        unpack_closure "$tree" "$@"
    fi
    printf '%s\n' "$tree"
}

# An empty status file makes apt resolve the whole closure, whatever this machine has installed.
apt_from_nothing() {
    apt-get -q -y --no-install-recommends -o Dir::State::status=/dev/null -o DPkg::Lock::Timeout=300 "$@"
}

closure() {
    local output
    output=$(apt_from_nothing --print-uris install "$@" 2>/dev/null) || { apt-get -q update >&2 && output=$(apt_from_nothing --print-uris install "$@"); }
    awk 'NF == 4 && $2 ~ /\.deb$/ { print $2 }' <<<"$output"
}

unpack_closure() {
    local tree=$1 work log
    shift
    work=$tree.part.$$
    log=$(mktemp -t enclaves-packages.XXXXXX)
    mkdir -p "$work/archives/partial" "$work/tree"
    logged "fetching the packages $*" "$log" apt_from_nothing --download-only -o "Dir::Cache::archives=$work/archives" install "$@"
    find "$work/archives" -name '*.deb' -print0 | sort -z | while IFS= read -r -d '' package; do
        dpkg-deb --extract "$package" "$work/tree"
    done
    # Two runs may have unpacked the same packages: whoever is first wins, the result is the same.
    mv -T "$work/tree" "$tree" 2>/dev/null || true
    rm -rf "$work" "$log"
}

# copy_program TREE DESTINATION PROGRAM…: each program with the libraries that its own loader resolves inside the tree.
copy_program() {
    local tree=$1 destination=$2 program libraries library
    shift 2
    for program in "$@"; do
        copy_file "$tree" "$destination" "$program"
        # By a variable: a failure inside <(…) would go unnoticed.
        libraries=$(libraries_of "$tree" "$program")
        for library in $libraries; do
            copy_file "$tree" "$destination" "$library"
        done
    done
}

libraries_of() {
    local tree=$1 program=$2 listing
    if ! listing=$(chroot "$tree" /lib64/ld-linux-x86-64.so.2 --list "$program" 2>&1); then
        # Static programs load nothing; anything else that cannot be listed is an error.
        [[ $listing == *"statically linked"* || $listing == *"not a dynamic executable"* ]] && return
        fail "the libraries of $program cannot be found: $listing" "add the package that holds them"
    fi
    if [[ $listing == *"not found"* ]]; then
        fail "$program misses a library: $(grep 'not found' <<<"$listing")" "add the package that holds it"
    fi
    awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' <<<"$listing" | sort -u
    printf '/lib64/ld-linux-x86-64.so.2\n'
}

# copy_file TREE DESTINATION PATH: the content at PATH, under that very name, whatever links lead there.
copy_file() {
    local tree=$1 destination=$2 path=$3 source
    [[ -e $destination$path ]] && return
    source=$(real_path_in "$tree" "$path")
    mkdir -p "$destination$(dirname "$path")"
    cp --dereference --preserve=mode "$source" "$destination$path"
}

# A link inside the tree may be absolute: it then means the tree, not this machine.
real_path_in() {
    local tree=$1 path=$2 target hops=0
    while [[ -L $tree$path ]]; do
        ((++hops < 16)) || fail "too many links at $path" "look into $tree"
        target=$(readlink "$tree$path")
        [[ $target == /* ]] && path=$target || path=$(dirname "$path")/$target
    done
    [[ -e $tree$path ]] || fail "$path is not in $tree" "add the package that holds it"
    printf '%s\n' "$tree$path"
}
