namespace MLNet.Pruning;

/// <summary>What a network costs.</summary>
public enum CostMeasure
{
    /// <summary>Bytes of the ONNX file that <see cref="Network.SaveOnnx"/> writes; where weights are set to zero, with sparse initializers.</summary>
    Bytes,

    /// <summary>Multiply-adds for one row; where weights are set to zero, those whose weight is on a path of non-zero weights from input to output.</summary>
    MultiplyAdds,

    /// <summary>Trained values; where weights are set to zero, those that are not zero.</summary>
    Parameters,

    /// <summary>Median milliseconds in which a batch is scored on the CPU by this library.</summary>
    Milliseconds,
}
