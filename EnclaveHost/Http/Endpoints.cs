using System.Text;
using Enclaves.EnclaveHost.Lifecycle;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Enclaves.EnclaveHost.Http;

/// <summary>
/// What the kubelet, the Reconciler and a metrics collector ask. /livez: this process serves (an enclave that fails is this process's to
/// mend, not the kubelet's). /readyz: 200 in Running only.
/// </summary>
internal static class Endpoints
{
    public static void Map(WebApplication app, EnclaveStateMachine state, StatusReader status)
    {
        var metrics = new MetricsText(state, status);
        app.MapGet("/livez", () => TypedResults.Text("ok\n"));
        app.MapGet("/readyz", () => Ready(state.Last, status));
        app.MapGet("/status", () => TypedResults.Json(status.Read(), StatusJson.Default.StatusDocument));
        app.MapGet("/metrics", () => TypedResults.Text(metrics.Write(), "text/plain; version=0.0.4", Encoding.UTF8));
    }

    private static ContentHttpResult Ready(Transition last, StatusReader status)
    {
        if (last.To == EnclaveState.Running)
            return TypedResults.Text("ok\n");
        // What the enclave itself waits for, say an image that cannot be pulled, is what its owner wants to know.
        var inside = status.Read().Health is { Healthy: false } health ? $"; the enclave says: {health.Reason} {health.Message}" : "";
        return TypedResults.Text($"{last.To}: {last.Reason} {last.Message}{inside}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
