namespace MLNet.Pruning.Networks.Operators;

/// <summary>What the dimensions of a weight are.</summary>
/// <param name="Output">The dimension of the units, filters or gates that the weight makes.</param>
/// <param name="Input">The dimension of what they read: inputs, or channels of a group.</param>
/// <param name="IsConvolution">Whether the dimensions that are neither are those of a kernel.</param>
internal readonly record struct WeightAxes(int Output, int Input, bool IsConvolution);
