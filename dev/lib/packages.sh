# Debian packages that the development scripts need.
# shellcheck shell=bash
#
# No host name of a mirror is written down: everything comes from the sources this machine is
# configured with, or from a private copy of them (a source package, a package of another suite).
# Needs log.sh and paths.sh.

packages_lock=$ENCLAVES_CACHE/packages.lock

package_is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# need_packages PACKAGE…: installs the ones that are missing, in one run of apt-get.
# Services that the packages would start are kept from starting: only their programs are wanted.
need_packages() {
    local package missing=()
    for package in "$@"; do
        package_is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        fail "these Debian packages are missing: ${missing[*]}" "run as root, or: sudo apt-get install ${missing[*]}"
    fi
    step "installing Debian packages: ${missing[*]}"
    local log
    log=$(mktemp -t enclaves-packages.XXXXXX)
    mkdir -p "$ENCLAVES_CACHE"
    # Another script may install packages at this moment, so only one at a time.
    if ! (flock -w 900 9 && install_packages "${missing[@]}") 9>"$packages_lock" >"$log" 2>&1; then
        fail "apt-get could not install ${missing[*]}" "check the apt sources and the network, then run again" "$log"
    fi
    rm -f "$log"
}

install_packages() (
    export DEBIAN_FRONTEND=noninteractive
    policy=/usr/sbin/policy-rc.d
    mark="# by Enclaves' development scripts, until the installation is over"
    # One of ours is left over from an installation that was killed: the lock says that none is under way.
    if [[ ! -e $policy ]] || grep -qF "$mark" "$policy"; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
        chmod +x "$policy"
    fi
    install=(apt-get -y -q -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@")
    # Package lists may be absent or out of date; they are fetched only when the first try fails.
    # By hand: errexit is off where the caller asks whether this succeeds.
    "${install[@]}" || { apt-get -q update && "${install[@]}"; } || exit 1
    disable_services "$@"
)

# Only the programs are wanted: the next start of the machine must not start services that it did not have.
disable_services() {
    local package unit
    command -v systemctl >/dev/null || return 0
    for package in "$@"; do
        for unit in $(dpkg -L "$package" | sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^/@]*\.service\)$|\2|p'); do
            systemctl disable --quiet "$unit" || true
        done
    done
}

# write_debian_sources FOLDER TYPE [SUITE]: writes a copy of the machine's Debian sources with type
# deb or deb-src, and with the suite replaced when one is given (the security archive has no other
# suites and is then left out). Sources that are not Debian's own are left out.
write_debian_sources() {
    local folder=$1 type=$2 suite=${3:-} codename file
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mkdir -p "$folder"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        copy_one_line_sources "$type" "$suite" "$codename" <"$file" >"$folder/${file##*/}"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        copy_paragraph_sources "$type" "$suite" "$codename" <"$file" >"$folder/${file##*/}"
    done
    find "$folder" -type f -empty -delete
    if [[ -z $(find "$folder" -type f) ]]; then
        fail "no Debian source for $codename is configured in /etc/apt" "add one to /etc/apt/sources.list.d and run again"
    fi
}

# The form "deb [options] address suite component…".
copy_one_line_sources() {
    awk -v type="$1" -v suite="$2" -v codename="$3" '
        $1 == "deb" {
            at = 2
            if ($2 ~ /^\[/) { while ($at !~ /\]$/ && at < NF) at++; at++ }
            if ($(at + 1) !~ "^(" codename "|stable)(-updates|-security|/updates)?$") next
            if (suite != "" && $(at + 1) ~ /-/) next
            $1 = type
            if (suite != "") $(at + 1) = suite
            print
        }'
}

# The form of paragraphs with Types, URIs, Suites, Components.
copy_paragraph_sources() {
    awk -v type="$1" -v suite="$2" -v codename="$3" '
        BEGIN { RS = ""; FS = "\n" }
        {
            debian = 0; main = 0; enabled = 1; text = ""
            for (i = 1; i <= NF; i++) {
                line = $i
                if (line ~ /^#/) continue
                if (tolower(line) ~ /^enabled:[ \t]*no/) enabled = 0
                if (tolower(line) ~ /^types:/) line = "Types: " type
                if (tolower(line) ~ /^suites:/) {
                    count = split(line, word, /[ \t]+/)
                    for (w = 2; w <= count; w++) {
                        if (word[w] ~ "^(" codename "|stable)(-updates|-security|/updates)?$") debian = 1
                        if (word[w] == codename || word[w] == "stable") main = 1
                    }
                    if (suite != "") line = "Suites: " suite
                }
                text = text line "\n"
            }
            if (debian && enabled && (suite == "" || main)) print text
        }'
}

# private_apt FOLDER APT-COMMAND…: runs apt-get with the sources in FOLDER/sources and with lists
# and caches in FOLDER, so that the machine's own configuration stays as it is.
private_apt() {
    local folder=$1
    shift
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/sources" \
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" \
        -o APT::Sandbox::User=root "$@"
}
