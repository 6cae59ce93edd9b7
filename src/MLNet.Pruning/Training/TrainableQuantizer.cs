using MLNet.Pruning.Data;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>What training can round to in each of its forward passes: a <see cref="T:MLNet.Pruning.Quantizer"/>.</summary>
public abstract class TrainableQuantizer
{
    private protected TrainableQuantizer()
    {
    }

    /// <summary>Trains a network that rounds on its way, and gives the one of floats that it became.</summary>
    /// <param name="network">The network of floats.</param>
    /// <param name="rows">Rows, of which those to train on tell the ranges between layers.</param>
    /// <param name="seed">Draws them.</param>
    /// <param name="cancellation">Ends the measuring of ranges.</param>
    /// <param name="train">Trains a network; measures beside it what it is without rounding.</param>
    /// <exception cref="ArgumentException">It rounds to nothing that is trained, or no layer of the network.</exception>
    /// <exception cref="NotSupportedException">It rounds in a form that is not trained.</exception>
    internal abstract TrainingResult Train(Network network, TrainingData rows, int seed, CancellationToken cancellation,
        Func<Network, Func<Network, Network>, TrainingResult> train);
}
