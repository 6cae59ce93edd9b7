using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>What of a network is rounded to which integers, before anything is.</summary>
/// <param name="Network">The network of floats.</param>
/// <param name="Weights">The grid of each weight, in the order of the layers that multiply with them.</param>
internal sealed record QuantizationPlan(Network Network, ImmutableArray<WeightGrid> Weights)
{
    /// <summary>Of whom its steps were learned; null where they were measured.</summary>
    public Quantizer? Quantizer { get; init; }

    /// <summary>The layers that compute with integers; none where weights alone are rounded.</summary>
    public IReadOnlyList<QuantizableLayer> Layers { get; init; } = [];

    /// <summary>The tensors between layers that are rounded, each with the one whose range it has.</summary>
    public IReadOnlyList<(string Tensor, string Root)> Tensors { get; init; } = [];

    /// <summary>Scales and zero points of those whose range others have.</summary>
    public ImmutableDictionary<string, (float Scale, byte Zero)> Ranges { get; init; } = ImmutableDictionary<string, (float, byte)>.Empty;

    /// <summary>The tensors that are rounded with the range of each batch.</summary>
    public IReadOnlyList<string> DynamicTensors { get; init; } = [];

    /// <summary>The network with its integers.</summary>
    public Network Write(QuantizationStep step)
    {
        var (network, writer) = (Network, new QuantizedGraph(Network));
        foreach (var (tensor, root) in Tensors)
        {
            writer.Round(tensor, root, Ranges[root].Scale, Ranges[root].Zero);
        }

        foreach (var tensor in DynamicTensors)
        {
            writer.RoundEachBatch(tensor);
        }

        foreach (var weight in Weights)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            var parameter = network[weight.Name];
            var layer = network.Layers.First(layer => layer.Weights.Contains(weight.Name));
            var integers = step.Rounding.Round(new(network, layer, parameter, weight), step);
            var rounded = parameter.WithValues(parameter.Shape, weight.Grid.Dequantize(integers, parameter.Shape), weight.Grid);
            // What comes behind reads what the rounded weight makes.
            network = network.WithParameters([parameter.WithValues(rounded.Array)]);
            writer.Set(rounded);
            foreach (var user in Layers.Where(user => user.Weight.Name == weight.Name && user.Bias is not null))
            {
                var bias = network[user.Bias!.Name];
                writer.SetBias(user.Node, WeightGrids.Bias(bias.WithValues([bias.Count], bias.Array), weight.BiasScales(InputScale(user))));
            }
        }

        return writer.Build();
    }

    /// <summary>Scale of what a layer multiplies.</summary>
    public float InputScale(QuantizableLayer layer) => Ranges[Tensors.First(tensor => tensor.Tensor == layer.Node.Inputs[0]).Root].Scale;
}

/// <summary>The integers that a weight may become.</summary>
/// <param name="Name">Name of the weight.</param>
/// <param name="Grid">What they stand for.</param>
/// <param name="Lowest">The least.</param>
/// <param name="Highest">The largest.</param>
internal sealed record WeightGrid(string Name, QuantizationGrid Grid, long Lowest, long Highest)
{
    /// <summary>The integer nearest to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="channel">Its place among the scales.</param>
    public long Nearest(double value, int channel)
        => (long)Math.Clamp(Math.Round(value / Grid.Scales[channel]) + Grid.ZeroPoints[channel], Lowest, Highest);

    /// <summary>What an integer stands for.</summary>
    public double Value(long integer, int channel) => (integer - Grid.ZeroPoints[channel]) * (double)Grid.Scales[channel];

    /// <summary>Scales of sums of products with what has a scale.</summary>
    public ImmutableArray<float> BiasScales(float inputScale) => [.. Grid.Scales.Select(scale => scale * inputScale)];
}
