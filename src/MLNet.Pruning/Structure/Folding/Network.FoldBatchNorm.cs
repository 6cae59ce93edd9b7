using MLNet.Pruning.Structure.Folding;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// The network with every batch normalisation that follows a convolution or a dense layer alone taken into that layer's weights: smaller
    /// and faster, with the same outputs to float rounding. Training it further trains without batch normalisation. One that a file computes with
    /// the statistics of the batch, since it was exported for training, stays.
    /// </summary>
    public Network FoldBatchNorm() => BatchNormFolding.Fold(this);
}
