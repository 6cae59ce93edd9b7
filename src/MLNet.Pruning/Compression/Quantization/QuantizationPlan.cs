using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>What of a network is rounded to which integers, before anything is.</summary>
/// <param name="Network">The network of floats.</param>
/// <param name="Weights">The grid of each weight, in the order of the layers that multiply with them.</param>
internal sealed record QuantizationPlan(Network Network, ImmutableArray<WeightGrid> Weights)
{
    /// <summary>Biases are at most so many steps of their scale, so that sums in 32 bits hold them and the products.</summary>
    private const double LargestBias = 1 << 30;

    /// <summary>Of whom its steps were learned; null where they were measured.</summary>
    public Quantizer? Quantizer { get; init; }

    /// <summary>The layers that compute with integers; none where weights alone are rounded.</summary>
    public IReadOnlyList<QuantizableLayer> Layers { get; init; } = [];

    /// <summary>The tensors between layers that are rounded, each with the one whose range it has.</summary>
    public IReadOnlyList<(string Tensor, string Root)> Tensors { get; init; } = [];

    /// <summary>Whether they are held as signed bytes, which are those of the ranges less 128.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Scales and zero points of those whose range others have, as unsigned bytes.</summary>
    public ImmutableDictionary<string, (float Scale, byte Zero)> Ranges { get; init; } = ImmutableDictionary<string, (float, byte)>.Empty;

    /// <summary>The tensors that are rounded with the range of each batch.</summary>
    public IReadOnlyList<string> DynamicTensors { get; init; } = [];

    /// <summary>The network with its integers.</summary>
    /// <param name="step">How.</param>
    /// <param name="open">The range whose tensors are left as floats; null for none.</param>
    public Network Write(QuantizationStep step, string? open = null)
    {
        var type = IsSigned ? TensorType.Int8 : TensorType.UInt8;
        var (network, writer) = (Network, new QuantizedGraph(Network));
        foreach (var (tensor, root) in Tensors.Where(tensor => tensor.Root != open))
        {
            writer.Round(tensor, root, Ranges[root].Scale, Ranges[root].Zero, type);
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
    public float InputScale(QuantizableLayer layer) => Ranges[Root(layer.Node)!].Scale;

    /// <summary>The tensor whose range that which a layer multiplies has; null where it has none.</summary>
    public string? Root(Node layer) => Tensors.FirstOrDefault(tensor => tensor.Tensor == layer.Inputs[0]).Root;

    /// <summary>Scales of a weight from which on sums in 32 bits hold the biases and the products.</summary>
    /// <param name="weight">Name of the weight.</param>
    /// <param name="count">Its scales.</param>
    public double[] LeastScales(string weight, int count)
    {
        var least = new double[count];
        foreach (var layer in Layers.Where(layer => layer.Weight.Name == weight && layer.Bias is not null))
        {
            for (var i = 0; i < layer.Bias!.Count; i++)
            {
                var channel = count > 1 ? i : 0;
                least[channel] = Math.Max(least[channel], Math.Abs((double)layer.Bias.Values[i]) / LargestBias / InputScale(layer));
            }
        }

        return least;
    }

    /// <summary>The plan with other steps.</summary>
    /// <param name="weight">Name of a weight.</param>
    /// <param name="changes">Logarithms of what its scales are multiplied by.</param>
    /// <param name="root">The tensor whose range changes; null for none.</param>
    /// <param name="change">That of its scale.</param>
    public QuantizationPlan With(string weight, float[] changes, string? root, float change)
    {
        var plan = root is null ? this : this with { Ranges = Ranges.SetItem(root, (Changed(Ranges[root].Scale, change), Ranges[root].Zero)) };
        return plan with
        {
            Weights = [.. Weights.Select(grid => grid with
            {
                Grid = grid.Grid with
                {
                    Scales = [.. grid.Grid.Scales.Zip(plan.LeastScales(grid.Name, grid.Grid.Scales.Length), (scale, least) => (scale, least))
                        .Select((of, i) => Math.Max(grid.Name == weight ? Changed(of.scale, changes[i]) : of.scale, (float)of.least))],
                },
            })],
        };
    }

    /// <summary>A scale times the exponential of a number.</summary>
    public static float Changed(float scale, float change) => WeightGrids.Scale(scale * Math.Exp(change));
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
