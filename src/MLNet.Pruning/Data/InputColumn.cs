namespace MLNet.Pruning.Data;

/// <summary>A column that a network reads, as it was when the network came into the chain.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Type">Its type.</param>
internal sealed record InputColumn(string Name, DataViewType Type)
{
    /// <summary>Type of its values.</summary>
    public DataViewType ItemType => Type is VectorDataViewType vector ? vector.ItemType : Type;

    /// <summary>Number of its values; null where that differs from row to row.</summary>
    public int? Size => Type is VectorDataViewType vector ? vector.IsKnownSize ? vector.Size : null : 1;

    public bool IsText => ItemType == TextDataViewType.Instance;

    /// <summary>Whether its values are integers, keys among them, or truth values.</summary>
    public bool IsInteger => ItemType is KeyDataViewType || ItemType == BooleanDataViewType.Instance
        || ItemType is NumberDataViewType && ItemType != NumberDataViewType.Single && ItemType != NumberDataViewType.Double;

    public override string ToString() => Type switch
    {
        VectorDataViewType { IsKnownSize: false } vector => $"Vector<{vector.ItemType}> of no fixed size",
        _ => Type.ToString()!,
    };
}
