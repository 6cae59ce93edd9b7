namespace MLNet.Pruning.Structure;

/// <summary>
/// One dimension of a value: <see cref="Outer"/> x <see cref="Classes"/> x <see cref="Inner"/> indices, where index
/// (o L + l) Inner + i belongs to class l. So a flattened image of C channels, or heads merged with the batch, stay L numbers long.
/// A dimension of no classes (batch, time, space) is inert, with a reason why.
/// </summary>
/// <param name="Classes">One class an index of the live factor; null for an inert dimension.</param>
/// <param name="Outer">Size of the factor outside, possibly open.</param>
/// <param name="Inner">Size of the factor inside.</param>
internal sealed record Axis(int[]? Classes, int Outer = 1, int Inner = 1)
{
    private const int MostIndices = 1 << 24;

    /// <summary>Why an inert dimension cannot shrink.</summary>
    public string Reason { get; init; } = "";

    public bool IsLive => Classes is not null;

    public static Axis Inert(string reason) => new(null, 1, 1) { Reason = reason };

    public bool SameFactors(Axis other) => Outer == other.Outer && Inner == other.Inner && Classes!.Length == other.Classes!.Length;

    /// <summary>One class an index, where the size is a number of at most 16 million: a repetition of a few bytes can ask for any.</summary>
    public int[]? PerIndex()
    {
        if (Classes is null || Outer < 0 || Inner < 0 || (double)Outer * Classes.Length * Inner > MostIndices)
        {
            return null;
        }

        if (Outer == 1 && Inner == 1)
        {
            return Classes;
        }

        var all = new int[Outer * Classes.Length * Inner];
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = Classes[i / Inner % Classes.Length];
        }

        return all;
    }
}

/// <summary>A tensor as the analysis sees it.</summary>
/// <param name="Axes">Its dimensions.</param>
/// <param name="Zero">
/// Whether its values at masked indices are zero, as behind a layer or a rectifier; not so behind a sigmoid. Only then does a sum over
/// them stay the same when they are removed.
/// </param>
internal sealed record StructuredValue(Axis[] Axes, bool Zero);
