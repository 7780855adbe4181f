# The test device plugin: built once for its sources, run as a process in the cluster's namespaces.
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with its siblings

device_plugin_project=$ENCLAVES_REPOSITORY/Tests/DevicePlugin/Enclaves.Tests.DevicePlugin.csproj

# Sets $device_plugin to the folder of the published program for the present sources.
publish_device_plugin() {
    local digest work log=$ENCLAVES_CACHE/device-plugin.log
    digest=$(find "$ENCLAVES_REPOSITORY"/Directory.*.props "$(dirname "$device_plugin_project")" \
        \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum |
        sed "s|$ENCLAVES_REPOSITORY/||" | sha256sum | cut -c 1-16)
    device_plugin=$ENCLAVES_CACHE/device-plugin/$digest
    [[ -d $device_plugin ]] && return 0
    step "building the test device plugin"
    mkdir -p "$ENCLAVES_CACHE/device-plugin"
    work=$(mktemp -d "$ENCLAVES_CACHE/device-plugin/.new.XXXXXX")
    : >"$log"
    logged "dotnet publish Tests/DevicePlugin" "$log" env TMPDIR="$ENCLAVES_CACHE/device-plugin" timeout 600 dotnet publish "$device_plugin_project" \
        --nologo -c Release -o "$work" -nodeReuse:false -p:UseSharedCompilation=false
    # Older ones are of no use, unless one of them runs at this moment.
    holder_is_gone && find "$ENCLAVES_CACHE/device-plugin" -mindepth 1 -maxdepth 1 ! -path "$work" -exec rm -rf {} +
    mv "$work" "$device_plugin"
}

start_device_plugin() {
    local dotnet
    dotnet=$(command -v dotnet) || fail "dotnet is not on PATH" "install the .NET 10 SDK; the test device plugin needs it"
    start_daemon device-plugin "$dotnet" "$device_plugin/Enclaves.Tests.DevicePlugin.dll" \
        --folder /var/lib/kubelet/device-plugins --resource aws.ec2.nitro/nitro_enclaves --count 4
}
