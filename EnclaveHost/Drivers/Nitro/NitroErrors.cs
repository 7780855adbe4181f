namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>Who can mend an error of nitro-cli.</summary>
internal enum NitroMender
{
    /// <summary>It passes: the boot is tried again.</summary>
    Retry,

    /// <summary>Who writes the NitroEnclaveDeployment.</summary>
    Spec,

    /// <summary>Who runs the node.</summary>
    Node,

    /// <summary>Who makes the image of EnclaveHost, in which the enclave image and nitro-cli are.</summary>
    Image,
}

/// <summary>One error of nitro-cli.</summary>
/// <param name="Code">Its number: <c>[ Enn ]</c> in its output, and the exit code of who failed last.</param>
/// <param name="Name">What it is called.</param>
/// <param name="What">What has happened.</param>
/// <param name="Mender">Whose it is to mend.</param>
/// <param name="How">The next step.</param>
internal sealed record NitroError(int Code, string Name, string What, NitroMender Mender, string How)
{
    /// <summary>As nitro-cli writes it: E07.</summary>
    public string Text => $"E{Code:00}";
}

/// <summary>The errors of nitro-cli (its NitroCliErrorEnum), translated. docs/nitro-errors.md is this table; a test keeps the two equal.</summary>
internal static class NitroErrors
{
    private const string Report = "use the nitro-cli that EnclaveHost was released with; if it stays, report it with the pod's log";
    private const string Memory = "see how much memory and how many processes are free on the node; if it stays, restart the node";
    private const string Restart = "if it stays, delete the pod, and then restart the node";
    private const string OtherCommand = "EnclaveHost does not use the command that fails so: see that --nitro-cli is the real one";
    private const string Builds = "EnclaveHost builds no image: see that --nitro-cli is the real one";
    private const string Allocator = "have the node's nitro-enclaves-allocator.service configured (/etc/nitro_enclaves/allocator.yaml)";
    private const string Unreadable = "use the EnclaveHost image of this release, unchanged";
    private const string KernelLog = "see the node's kernel log (nitro_enclaves)";

    /// <summary>All of them, by number.</summary>
    public static IReadOnlyList<NitroError> All { get; } =
    [
        new(0, "unspecified error", "nitro-cli does not say what has failed", NitroMender.Retry, Report),
        new(1, "missing argument", "nitro-cli wants an argument that EnclaveHost does not give", NitroMender.Image, Report),
        new(2, "conflicting arguments", "nitro-cli does not take two of EnclaveHost's arguments together", NitroMender.Image, Report),
        new(3, "invalid argument", "nitro-cli does not take the value of an argument: CPUs, memory or CID", NitroMender.Spec,
            "see spec.enclave.cpuCount and spec.enclave.memory"),
        new(4, "socket pair", "nitro-cli cannot open a channel to its enclave process", NitroMender.Node, Memory),
        new(5, "process spawn", "nitro-cli cannot start its enclave process", NitroMender.Node, Memory),
        new(6, "daemonize", "the enclave process cannot become one of its own", NitroMender.Node, Memory),
        new(7, "read from disk", "nitro-cli cannot read the folder of its sockets", NitroMender.Image,
            "see that the pod has a writable emptyDir at /run/nitro_enclaves, as the chart makes it"),
        new(8, "unusable connection", "the connection to the enclave process is closed", NitroMender.Retry, Restart),
        new(9, "socket close", "a connection to the enclave process could not be closed", NitroMender.Retry, Restart),
        new(10, "connect timeout", "no time limit could be set for the connection to the console", NitroMender.Retry, Restart),
        new(11, "socket error", "nitro-cli does not reach the enclave process: most often the enclave has ended", NitroMender.Retry, Restart),
        new(12, "epoll", "nitro-cli cannot watch its enclave processes", NitroMender.Node, Memory),
        new(13, "inotify", "nitro-cli cannot watch the socket of its enclave process", NitroMender.Node,
            "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches on the node"),
        new(14, "invalid command", "the enclave process does not know the command", NitroMender.Image, Report),
        new(15, "lock", "a thread of the enclave process ended while it held a lock", NitroMender.Retry, Restart),
        new(16, "thread join", "a thread of the enclave process ended by an error: most often the enclave image cannot be measured", NitroMender.Image, Unreadable),
        new(17, "serialization", "nitro-cli and its enclave process do not understand each other", NitroMender.Image, Report),
        new(18, "file permissions", "nitro-cli may not change its log file", NitroMender.Image,
            "see that the pod has an emptyDir of its own at /var/log/nitro_enclaves, as the chart makes it"),
        new(19, "file operation", "a file cannot be used: the device /dev/nitro_enclaves, the CPU pool, the enclave image or nitro-cli's log", NitroMender.Node,
            "see that the file named here exists: for /dev/nitro_enclaves run the device plugin and set the chart's enclave.deviceGroup, for "
            + "ne_cpus " + Allocator + ", for an image see --image, for a log the emptyDir at /var/log/nitro_enclaves"),
        new(20, "CPU configuration", "a CPU was given twice", NitroMender.Image, OtherCommand),
        new(21, "CPU not in the pool", "a CPU was asked for that the node's pool has not", NitroMender.Node, Allocator),
        new(22, "too few CPUs", "the node's pool has fewer free CPUs than the enclave asks for", NitroMender.Spec,
            "ask for fewer in spec.enclave.cpuCount, or " + Allocator),
        new(23, "malformed CPU list", "the list of the node's CPUs cannot be read", NitroMender.Node, Allocator),
        new(24, "CPU interval", "an interval in the list of the node's CPUs cannot be read", NitroMender.Node, Allocator),
        new(25, "hugepage size", "the node has huge pages of a size that nitro-cli does not know", NitroMender.Node, "reserve huge pages of 2 MiB or 1 GiB on the node"),
        new(26, "too little memory asked for", "the enclave's memory is less than four times the enclave image", NitroMender.Spec,
            "ask for at least as much as named here in spec.enclave.memory"),
        new(27, "too few huge pages", "the node has fewer free huge pages than the enclave's memory needs", NitroMender.Node,
            "ask for less in spec.enclave.memory, or reserve more huge pages: " + Allocator),
        new(28, "enclave descriptor", "the kernel gave no enclave", NitroMender.Node, KernelLog + "; a node has at most four enclaves"),
        new(29, "ioctl", "the kernel's driver refused: it is busy, the node has its four enclaves already, the CPUs are no whole cores, or memory "
            + "and CPUs are of different NUMA nodes", NitroMender.Retry,
            "it is tried again by itself; if it stays, ask for an even spec.enclave.cpuCount, and " + KernelLog),
        new(30, "image load info", "the kernel's driver did not say where the image goes", NitroMender.Node, KernelLog),
        new(31, "memory region", "the kernel's driver did not take the memory", NitroMender.Node,
            KernelLog + ": most often the huge pages are of another NUMA node than the CPU pool"),
        new(32, "vCPU", "the kernel's driver did not take a CPU", NitroMender.Node, Allocator),
        new(33, "enclave start", "the kernel's driver did not start the enclave", NitroMender.Node, KernelLog),
        new(34, "memory overflow", "the enclave image does not fit into the address space", NitroMender.Image, Unreadable),
        new(35, "image parsing", "the enclave image cannot be read into the enclave's memory: it is broken, or its huge pages are not there", NitroMender.Node,
            "see that the pod's hugepages are those of spec.enclave.memory; if they are, " + Unreadable),
        new(36, "enclave boot", "the enclave did not report that it has booted", NitroMender.Image,
            "see the enclave's console with spec.enclave.debugMode; " + Unreadable),
        new(37, "event wait", "the enclave process cannot watch its enclave", NitroMender.Retry, Restart),
        new(38, "command not executed", "an enclave process did not do what it was told", NitroMender.Retry, Restart),
        new(39, "enclave process connection", "the enclave process has ended or does not answer", NitroMender.Retry, Restart),
        new(40, "socket path", "there is no socket of an enclave with this id", NitroMender.Retry, Restart),
        new(41, "send reply", "the enclave process could not answer", NitroMender.Retry, Restart),
        new(42, "mmap", "the enclave's memory could not be mapped", NitroMender.Node, "see that the node's huge pages are free and that the pod asks for them"),
        new(43, "munmap", "the enclave's memory could not be given back", NitroMender.Node, Restart),
        new(44, "console connection", "the console is not to be had: the enclave has ended, is not in debug mode, or somebody else reads it", NitroMender.Retry,
            "read it with kubectl logs, where it goes with spec.enclave.debugMode"),
        new(45, "console read", "the console ended, most often with the enclave", NitroMender.Retry, Restart),
        new(46, "console write", "nobody took what the console said", NitroMender.Retry, Restart),
        new(47, "CID parsing", "the enclave's CID is no number that the console has", NitroMender.Image, Report),
        new(48, "image build", "an enclave image could not be made", NitroMender.Image, Builds),
        new(49, "container build", "a container image could not be made", NitroMender.Image, Builds),
        new(50, "container pull", "a container image could not be pulled", NitroMender.Image, Builds),
        new(51, "artifacts path", "there is no folder for what is built", NitroMender.Image, Builds),
        new(52, "blobs path", "there is no folder with the parts of an image", NitroMender.Image, Builds),
        new(53, "clock skew", "the clock went backwards while the console was read", NitroMender.Node, "have the node's clock kept by a time service"),
        new(54, "signal masking", "the signals of the enclave process could not be masked", NitroMender.Node, Memory),
        new(55, "signal unmasking", "the signals of the enclave process could not be unmasked", NitroMender.Node, Memory),
        new(56, "logger", "nitro-cli cannot write its log", NitroMender.Image,
            "see that the pod has a writable emptyDir at /var/log/nitro_enclaves, as the chart makes it"),
        new(57, "hasher", "the enclave image could not be measured", NitroMender.Image, Unreadable),
        new(58, "enclave name", "there is no enclave of this name", NitroMender.Image, Report),
        new(59, "image signature", "the signature of the enclave image is not valid, or its certificate has expired", NitroMender.Image,
            "sign the enclave image anew with a certificate that is valid"),
        new(60, "unnamed", "an error that only newer versions of nitro-cli have", NitroMender.Image, "ask nitro-cli explain --error-code E60 what it means"),
    ];

    /// <summary>The error of this number; null where there is none.</summary>
    public static NitroError? Find(int code) => code >= 0 && code < All.Count ? All[code] : null;
}
