using System.Globalization;

namespace Enclaves.Orchestrator.Volumes;

/// <summary>
/// The versions of a volume's files out of a Secret, a folder each. The one before the present one stays: containers that are being stopped
/// still read it.
/// </summary>
internal sealed class SecretVersions(string root)
{
    private int _number;
    private string? _fingerprint;
    private string? _present;
    private string? _before;

    /// <summary>The folder of these values, made if it is not the present one.</summary>
    public string Folder(string fingerprint, Action<string> make)
    {
        if (_present is not null && fingerprint == _fingerprint)
            return _present;
        var folder = Path.Combine(root, (++_number).ToString(CultureInfo.InvariantCulture));
        make(folder);
        if (_before is not null)
            Directory.Delete(_before, recursive: true);
        (_before, _present, _fingerprint) = (_present, folder, fingerprint);
        return folder;
    }
}
