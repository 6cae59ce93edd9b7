namespace Microsoft.ML.Transforms;

/// <summary>Compares texts by their characters.</summary>
internal sealed class TextComparer : IEqualityComparer<ReadOnlyMemory<char>>, IComparer<ReadOnlyMemory<char>>
{
    public static readonly TextComparer Instance = new();

    /// <summary>A dictionary whose keys compare by content.</summary>
    public static Dictionary<TKey, TValue> Dictionary<TKey, TValue>()
        where TKey : notnull => new(typeof(TKey) == typeof(ReadOnlyMemory<char>) ? (IEqualityComparer<TKey>)(object)Instance : null);

    public bool Equals(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceEqual(y.Span);

    public int GetHashCode(ReadOnlyMemory<char> text) => string.GetHashCode(text.Span);

    public int Compare(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceCompareTo(y.Span);
}
