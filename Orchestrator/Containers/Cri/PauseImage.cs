using System.Formats.Tar;
using System.Text.Json;
using Enclaves.Orchestrator.Containers.Cri.Content;
using Enclaves.Orchestrator.Containers.Cri.Images;
using Google.Protobuf;
using Grpc.Core;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>
/// Puts the pause image, which every sandbox needs, into containerd's store from an OCI archive of the enclave's image: it is measured
/// with it, and nothing has to be pulled before egress exists.
/// </summary>
internal static class PauseImage
{
    private const string ArchivePath = "/usr/share/enclave/pause.tar";

    // The sandbox_image of containerd's configuration; the dot keeps it from being taken for a name of the public default registry.
    private const string Name = "enclaves.local/pause:1";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const int MaxArchiveBytes = 4 * 1024 * 1024;

    /// <summary>Imports the image where the archive is there; an image that is in the store already is fine.</summary>
    /// <exception cref="InvalidDataException">The archive is not an OCI image of one manifest.</exception>
    public static async Task ImportAsync(CriConnection connection, CancellationToken cancellation)
    {
        if (!File.Exists(ArchivePath))
            return;
        var files = await ReadArchiveAsync(cancellation);
        var manifestDigest = FirstManifest(files);
        var manifest = Blob(files, manifestDigest);
        using var parsed = JsonDocument.Parse(manifest);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var config = Digest(parsed.RootElement.GetProperty("config"));
        labels["containerd.io/gc.ref.content.config"] = config;
        var content = new Content.Content.ContentClient(connection.Channel);
        foreach (var layer in parsed.RootElement.GetProperty("layers").EnumerateArray())
        {
            labels[$"containerd.io/gc.ref.content.l.{labels.Count - 1}"] = Digest(layer);
            await WriteAsync(content, connection, Digest(layer), Blob(files, Digest(layer)), [], cancellation);
        }

        await WriteAsync(content, connection, config, Blob(files, config), [], cancellation);
        await WriteAsync(content, connection, manifestDigest, manifest, labels, cancellation);
        await NameAsync(connection, manifestDigest, manifest.Length, cancellation);
    }

    private static async Task<Dictionary<string, byte[]>> ReadArchiveAsync(CancellationToken cancellation)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using var archive = File.OpenRead(ArchivePath);
        if (archive.Length > MaxArchiveBytes)
            throw new InvalidDataException($"{ArchivePath}: {archive.Length} bytes, allowed are {MaxArchiveBytes}");
        await using var reader = new TarReader(archive);
        while (await reader.GetNextEntryAsync(copyData: true, cancellation) is { } entry)
        {
            if (entry.DataStream is not { } data)
                continue;
            var bytes = new byte[data.Length];
            await data.ReadExactlyAsync(bytes, cancellation);
            var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
            files[name] = bytes;
        }

        return files;
    }

    private static string FirstManifest(Dictionary<string, byte[]> files)
    {
        if (!files.TryGetValue("index.json", out var bytes))
            throw new InvalidDataException($"{ArchivePath}: has no index.json");
        using var index = JsonDocument.Parse(bytes);
        return Digest(index.RootElement.GetProperty("manifests")[0]);
    }

    private static string Digest(JsonElement descriptor) => descriptor.GetProperty("digest").GetString()!;

    private static byte[] Blob(Dictionary<string, byte[]> files, string digest) =>
        files.GetValueOrDefault("blobs/" + digest.Replace(':', '/'))
        ?? throw new InvalidDataException($"{ArchivePath}: has no blob {digest}");

    private static async Task WriteAsync(
        Content.Content.ContentClient content,
        CriConnection connection,
        string digest,
        byte[] data,
        Dictionary<string, string> labels,
        CancellationToken cancellation)
    {
        var request = new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Ref = $"import-{digest}",
            Total = data.Length,
            Expected = digest,
            Data = ByteString.CopyFrom(data),
        };
        request.Labels.Add(labels);
        try
        {
            using var call = content.Write(Options(connection, cancellation));
            await call.RequestStream.WriteAsync(request, cancellation);
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(cancellation))
            {
            }
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // A restarted containerd keeps its store.
        }
    }

    private static async Task NameAsync(CriConnection connection, string digest, int size, CancellationToken cancellation)
    {
        var request = new CreateImageRequest
        {
            Image = new Images.Image { Name = Name, Target = new ImageTarget { MediaType = ManifestType, Digest = digest, Size = size } },
        };
        try
        {
            await new Images.Images.ImagesClient(connection.Channel).CreateAsync(request, Options(connection, cancellation));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // As above.
        }
    }

    // The CRI keeps everything of its own in this namespace.
    private static CallOptions Options(CriConnection connection, CancellationToken cancellation) =>
        connection.Within(CriConnection.CallLimit, cancellation).WithHeaders(new Metadata { { "containerd-namespace", "k8s.io" } });
}
