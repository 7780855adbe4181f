using Enclaves.Tests.DevicePlugin;

// usage: Enclaves.Tests.DevicePlugin [--folder FOLDER] [--resource NAME] [--count N]
// Advertises devices with nothing behind them to the kubelet of a test node, until it is told to stop.
var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddSingleton(PluginSettings.From(builder.Configuration));
builder.Services.AddHostedService<KubeletRegistration>();
await builder.Build().RunAsync();
