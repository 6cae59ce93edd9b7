namespace MLNet.Pruning;

/// <summary>What a network or an ensemble of trees costs.</summary>
public enum CostMeasure
{
    /// <summary>Bytes of the ONNX file that <see cref="Network.SaveOnnx(string, bool, string)"/> writes, where weights are set to zero with sparse
    /// initializers; of trees as
    /// <see cref="TreeCost.Bytes"/> counts them.</summary>
    Bytes,

    /// <summary>Multiply-adds for one row; where weights are set to zero, those whose weight is on a path of non-zero weights from input to output.</summary>
    MultiplyAdds,

    /// <summary>Trained values; where weights are set to zero, those that are not zero.</summary>
    Parameters,

    /// <summary>
    /// Median milliseconds in which a batch is scored on one thread of this machine's CPU, by the faster of ONNX Runtime and, where many weights are zero, this
    /// library's sparse kernels.
    /// </summary>
    Milliseconds,

    /// <summary>Trees of an ensemble with at least one split.</summary>
    Trees,

    /// <summary>Splits of an ensemble's trees.</summary>
    Nodes,
}
