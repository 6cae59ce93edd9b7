namespace Microsoft.ML.Data;

/// <summary>How many keys a column of a text file has; without a count, as many as its type can hold.</summary>
public sealed class KeyCount
{
    public readonly ulong? Count;

    public KeyCount()
    {
    }

    public KeyCount(ulong count) => Count = count;
}
