namespace Enclaves.Api;

/// <summary>A spec that cannot be mapped: it got past admission, or admission was off. The message has the field's path and what is allowed.</summary>
public sealed class NedSpecException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="field">Path of the field, such as spec.enclave.memory.</param>
    /// <param name="problem">What is wrong and what is allowed.</param>
    /// <param name="inner">The cause.</param>
    public NedSpecException(string field, string problem, Exception? inner = null)
        : base($"{field}: {problem}", inner) => Field = field;

    /// <summary>Path of the field.</summary>
    public string Field { get; }
}
