using System.Runtime.InteropServices;
using Enclaves.Tests.Benchmarks.Admission;
using Enclaves.Tests.Benchmarks.Availability;
using Enclaves.Tests.Benchmarks.Boot;
using Enclaves.Tests.Benchmarks.Chaos;
using Enclaves.Tests.Benchmarks.Fuzz;
using Enclaves.Tests.Benchmarks.Reconcile;
using Enclaves.Tests.Benchmarks.Relay;
using Enclaves.Tests.Benchmarks.Rest;

// Whatever ends this program early, the processes and files it has made go first.
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    switch (args)
    {
        case ["admission"]:
            await AdmissionBenchmark.Run(stop.Token);
            return 0;
        case ["availability", var kubeconfig]:
            await AvailabilityBenchmark.Run(kubeconfig, stop.Token);
            return 0;
        case ["boot", var host, var orchestrator, var layout, var archive, var kubelet]:
            await BootBenchmark.Run((host, orchestrator), (layout, archive), kubelet, stop.Token);
            return 0;
        case ["relay", var host, var orchestrator, var flow]:
            await RelayBenchmark.Run((host, orchestrator), flow, stop.Token);
            return 0;
        // As EnclaveHost starts what is inside.
        case ["--listen", var endpoint, "--runtime", "process"]:
            await StatusStorm.Run(endpoint, stop.Token);
            return 0;
        case ["reconcile", var etcd, var kubernetes, .. var parts]:
            return await ReconcileBenchmark.Run(etcd, kubernetes, parts, stop.Token);
        case ["rest", .. var parts]:
            return await RestBenchmark.Run(parts, stop.Token);
        case ["fuzz", .. var rest]:
            return FuzzBenchmark.Run(rest, stop.Token);
        case ["chaos", .. var rest]:
            return await ChaosBenchmark.Run(rest, stop.Token);
        case [AllowAll.Command, var certificate, var key, var port]:
            await AllowAll.Run(certificate, key, port, stop.Token);
            return 0;
        default:
            await Console.Error.WriteLineAsync(
                "usage: Enclaves.Tests.Benchmarks admission | availability KUBECONFIG | boot ENCLAVE-HOST ORCHESTRATOR LAYOUT ARCHIVE KUBELET | reconcile ETCD KUBERNETES [PART…] | relay ENCLAVE-HOST ORCHESTRATOR FLOW | rest [PART…] | fuzz [PART…] [COUNT [SEED]] | chaos [SEED]");
            return 2;
    }
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
