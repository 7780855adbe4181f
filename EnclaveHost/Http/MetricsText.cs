using System.Globalization;
using System.Text;
using Enclaves.EnclaveHost.Lifecycle;

namespace Enclaves.EnclaveHost.Http;

/// <summary>
/// The metrics in Prometheus text format 0.0.4. Written by hand: a dozen counters that other objects hold already, and no exporter that is
/// released and compiles ahead of time without warnings.
/// </summary>
internal sealed class MetricsText(EnclaveStateMachine state, StatusReader status)
{
    public string Write()
    {
        var text = new StringBuilder();
        Head(text, "enclave_state", "gauge", "1 for the present state of the enclave.");
        foreach (var name in Enum.GetValues<EnclaveState>())
            Sample(text, "enclave_state", $"state=\"{name}\"", name == state.State ? 1 : 0);
        Head(text, "enclave_state_transitions_total", "counter", "Changes of state.");
        foreach (var (from, to, count) in state.Counts())
            Sample(text, "enclave_state_transitions_total", $"from=\"{from}\",to=\"{to}\"", count);
        Head(text, "enclave_boots_total", "counter", "Boots of the enclave.");
        Sample(text, "enclave_boots_total", "", state.Boots);
        WriteContainers(text);
        WriteRelays(text);
        Head(text, "enclave_egress_refused_total", "counter", "Egress connections refused, by container.");
        foreach (var (container, count) in status.EgressRefused())
            Sample(text, "enclave_egress_refused_total", $"container=\"{container}\"", count);
        var drops = status.Drops();
        Head(text, "enclave_log_lines_dropped_total", "counter", "Log lines lost, by the side that lost them.");
        Sample(text, "enclave_log_lines_dropped_total", "side=\"enclave\"", drops.Enclave);
        Sample(text, "enclave_log_lines_dropped_total", "side=\"host\"", drops.Host);
        if (status.Otlp() is { } otlp)
            WriteOtlp(text, otlp);
        return text.ToString();
    }

    private static void WriteOtlp(StringBuilder text, OtlpDocument otlp)
    {
        Head(text, "enclave_otlp_lines_sent_total", "counter", "Log lines that the collector has taken.");
        Sample(text, "enclave_otlp_lines_sent_total", "", otlp.Sent);
        Head(text, "enclave_otlp_lines_dropped_total", "counter", "Log lines lost on the way to the collector.");
        Sample(text, "enclave_otlp_lines_dropped_total", "", otlp.Dropped);
        Head(text, "enclave_otlp_up", "gauge", "1 while the collector takes what it is given.");
        Sample(text, "enclave_otlp_up", "", otlp.Problem.Length == 0 ? 1 : 0);
    }

    private void WriteContainers(StringBuilder text)
    {
        var containers = status.Containers().ToList();
        Head(text, "enclave_container_ready", "gauge", "1 for a container that is ready.");
        foreach (var (name, container) in containers)
            Sample(text, "enclave_container_ready", $"container=\"{name}\"", container.Ready ? 1 : 0);
        Head(text, "enclave_container_restarts_total", "counter", "Restarts of a container in the present boot.");
        foreach (var (name, container) in containers)
            Sample(text, "enclave_container_restarts_total", $"container=\"{name}\"", container.Restarts);
    }

    private void WriteRelays(StringBuilder text)
    {
        var relays = status.Relays().Select(r => (Label: $"relay=\"{r.Name}\"", r.Counters)).ToList();
        Each("enclave_relay_connections_open", "gauge", "Connections relayed now.", c => c.Open);
        Each("enclave_relay_connections_total", "counter", "Connections relayed.", c => c.Total);
        Each("enclave_relay_refused_total", "counter", "Connections closed without relaying.", c => c.Refused);
        Each("enclave_relay_bytes_in_total", "counter", "Bytes into the enclave.", c => c.BytesIn);
        Each("enclave_relay_bytes_out_total", "counter", "Bytes out of the enclave.", c => c.BytesOut);

        void Each(string name, string type, string help, Func<Channel.Relay.RelayCounters, long> value)
        {
            Head(text, name, type, help);
            foreach (var (label, counters) in relays)
                Sample(text, name, label, value(counters));
        }
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    // Label values are states and names of containers and relays, none of which can hold a quote.
    private static void Sample(StringBuilder text, string name, string labels, long value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
