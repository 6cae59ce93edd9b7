namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>What the kernels do with a vector of bytes, for one width of vectors.</summary>
internal unsafe interface ILanes<TVector>
{
    /// <summary>Bytes of a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Create(sbyte value);

    /// <summary>A set as it was where the rank lies below the cut, and what is to be kept of it elsewhere.</summary>
    static abstract TVector Keep(TVector set, TVector rank, TVector cut, TVector keep);

    /// <summary>One vector where a set has none, and the other elsewhere.</summary>
    static abstract TVector WhereEmpty(TVector set, TVector empty, TVector filled);

    /// <summary>The number of the lowest bit of each byte, counted on from a first one.</summary>
    static abstract TVector Lowest(TVector set, TVector first);

    /// <summary>Looks up each index, 0 to 63, among 64 values.</summary>
    static abstract TVector Lookup(sbyte* table, TVector indices);

    /// <summary>How many of 16 numbers lie below a value, none where it is missing.</summary>
    static abstract int CountBelow(float value, float* numbers);

    /// <summary>Adds to each sum the value of the leaf that its index names.</summary>
    static abstract void AddLeaves(double* sums, double* leaves, byte* indices);
}
