namespace Enclaves.Reconciler.Control;

/// <summary>Which object: all that crosses the queue. The namespace is empty for objects of the whole cluster.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <inheritdoc />
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>An object that a store can hold. Immutable: a snapshot is shared by every reader.</summary>
internal interface IStored
{
    /// <summary>Which object it is.</summary>
    ObjectKey Key { get; }

    /// <summary>Version of this state, opaque: it may only be compared for equality.</summary>
    string ResourceVersion { get; }
}
