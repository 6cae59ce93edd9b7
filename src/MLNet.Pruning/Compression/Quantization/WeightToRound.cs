using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>A weight that is about to be rounded.</summary>
/// <param name="Network">The network, weights of earlier layers rounded.</param>
/// <param name="Layer">The layer that multiplies with it.</param>
/// <param name="Parameter">Its values.</param>
/// <param name="Grid">The integers that it may become.</param>
internal sealed record WeightToRound(Network Network, LayerInfo Layer, Parameter Parameter, WeightGrid Grid);
