using Enclaves.Tests.DevicePlugin.V1Beta1;
using Grpc.Core;

namespace Enclaves.Tests.DevicePlugin;

/// <summary>
/// Serves the devices and keeps them registered. A kubelet that starts removes every socket in its folder and
/// makes its own anew, so the absence of our socket is the sign that we must serve and register again.
/// </summary>
internal sealed partial class KubeletRegistration(PluginSettings settings, ILogger<KubeletRegistration> logger) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Directory.CreateDirectory(settings.Folder);
        while (!stoppingToken.IsCancellationRequested)
        {
            // Adding the port makes the socket, so one that an earlier process left has to go before.
            File.Delete(settings.EndpointPath);
            var devices = new PretendedDevices(settings, stoppingToken);
            var server = new Server
            {
                Services = { V1Beta1.DevicePlugin.BindService(devices) },
                Ports = { new ServerPort($"unix:{settings.SocketPath}", 0, ServerCredentials.Insecure) },
            };
            server.Start();
            try
            {
                await StayRegistered(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                await server.KillAsync();
            }

            await Task.Delay(LookInterval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Returns when our socket was removed.</summary>
    private async Task StayRegistered(CancellationToken stoppingToken)
    {
        var registered = false;
        while (File.Exists(settings.EndpointPath))
        {
            registered = registered || await TryRegister(stoppingToken);
            await Task.Delay(LookInterval, stoppingToken);
        }

        LogSocketRemoved(settings.EndpointPath);
    }

    private async Task<bool> TryRegister(CancellationToken stoppingToken)
    {
        if (!File.Exists(settings.KubeletSocket))
            return false;
        var channel = new Channel($"unix:{settings.KubeletSocket}", ChannelCredentials.Insecure);
        var request = new RegisterRequest
        {
            Version = "v1beta1",
            Endpoint = settings.Endpoint,
            ResourceName = settings.Resource,
            Options = new DevicePluginOptions(),
        };
        try
        {
            await new Registration.RegistrationClient(channel)
                .RegisterAsync(request, deadline: DateTime.UtcNow + CallLimit, cancellationToken: stoppingToken);
            LogRegistered(settings.Count, settings.Resource);
            return true;
        }
        catch (RpcException error) when (!stoppingToken.IsCancellationRequested)
        {
            LogNotRegistered(settings.KubeletSocket, error.Status.Detail);
            return false;
        }
        finally
        {
            await channel.ShutdownAsync();
        }
    }

    [LoggerMessage(LogLevel.Information, "registered {Count} devices of {Resource}")]
    private partial void LogRegistered(int count, string resource);

    [LoggerMessage(LogLevel.Warning, "the kubelet at {Socket} took no registration, trying again in a second: {Reason}")]
    private partial void LogNotRegistered(string socket, string reason);

    [LoggerMessage(LogLevel.Information, "{Socket} was removed, so a kubelet has started: serving and registering again")]
    private partial void LogSocketRemoved(string socket);
}
