using Enclaves.Tests.DevicePlugin.V1Beta1;
using Grpc.Core;

namespace Enclaves.Tests.DevicePlugin;

/// <summary>The plugin's side of the interface: devices that are always healthy and have nothing behind them.</summary>
internal sealed class PretendedDevices(PluginSettings settings, CancellationToken stopping)
    : V1Beta1.DevicePlugin.DevicePluginBase
{
    public override Task<DevicePluginOptions> GetDevicePluginOptions(Empty request, ServerCallContext context) =>
        Task.FromResult(new DevicePluginOptions());

    /// <summary>Tells the devices once and stays open: the kubelet takes the end of this stream for the end of the plugin.</summary>
    public override async Task ListAndWatch(Empty request, IServerStreamWriter<ListAndWatchResponse> responseStream, ServerCallContext context)
    {
        var devices = new ListAndWatchResponse();
        for (var index = 0; index < settings.Count; index++)
            devices.Devices.Add(new Device { ID = $"pretended-{index}", Health = "Healthy" });
        await responseStream.WriteAsync(devices);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override Task<AllocateResponse> Allocate(AllocateRequest request, ServerCallContext context)
    {
        var response = new AllocateResponse();
        foreach (var _ in request.ContainerRequests)
            response.ContainerResponses.Add(new ContainerAllocateResponse());
        return Task.FromResult(response);
    }
}
