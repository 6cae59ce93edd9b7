namespace MLNet.Pruning;

/// <summary>How a tensor of weights can lie in a file or in memory. Values are 32-bit floats, rows are indices of the first dimension.</summary>
public enum WeightEncoding
{
    /// <summary>Every value.</summary>
    Dense,

    /// <summary>A bit for each value, and those that are not zero.</summary>
    Bitmap,

    /// <summary>
    /// Compressed sparse rows: the start of each row in 32 bits, and for each non-zero the zeros before it in 8 bits; where there are more, zeros are
    /// stored too.
    /// </summary>
    Csr8,

    /// <summary>Compressed sparse rows with 16 bits for the zeros before each.</summary>
    Csr16,

    /// <summary>Compressed sparse rows with 32 bits for the zeros before each.</summary>
    Csr32,

    /// <summary>A table of positions of 32 bits with their values, a power of two of places of which at most three quarters are taken.</summary>
    Hash,

    /// <summary>
    /// Each value that occurs, with the number of its positions in 32 bits, and for each the values since the last in 16 bits; more where there are more.
    /// </summary>
    InvertedList,

    /// <summary>Values and positions of 64 bits, as ONNX has them.</summary>
    SparseOnnx,

    /// <summary>The values that occur, and which of them each is in as few bits as tell them apart.</summary>
    Codebook,

    /// <summary>
    /// The zeros before each non-zero, as of <see cref="Csr8"/> but for all rows together, and which value each is, both by Huffman's code, with the codes'
    /// lengths (Han et al. 2016, "Deep Compression").
    /// </summary>
    Huffman,

    /// <summary>By the adaptive arithmetic coder of <see cref="Network.SaveCompressed(string, bool)"/>, the tensor by itself.</summary>
    EntropyCoded,
}
