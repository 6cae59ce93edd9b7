using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Scoring.Operators;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// The steps between integers of a layer's weight and of what it reads, by gradient descent on the squared error of what it makes: a step is its start times
/// the exponential of a number that is 0 at first, and rounding passes gradients as if it were none (Esser et al. 2020, "Learned Step Size Quantization").
/// </summary>
internal sealed class LayerSteps
{
    /// <summary>Numbers that are held to learn from: 256 MB of them, whatever the images' size.</summary>
    private const long Most = 1 << 26;

    private const double LearningRate = 0.02;

    /// <summary>Iterations between two looks at all rows.</summary>
    private const int Every = 10;

    private readonly Scalar _one = 1.0;
    private readonly LinearNode _linear;
    private readonly QuantizationGrid _grid;
    private readonly ImmutableArray<int> _shape;
    private readonly int _makes;
    private readonly Tensor _weight;
    private readonly Tensor _scales;
    private readonly Tensor _lowest;
    private readonly Tensor _highest;
    private readonly (Tensor Scale, Tensor Lowest, Tensor Highest)? _input;
    private readonly TorchParameter _weightChange;
    private readonly TorchParameter _inputChange;

    private LayerSteps(QuantizationPlan plan, LayerInfo layer, WeightGrid grid, string? root, Device device)
    {
        (_grid, _shape, _linear) = (grid.Grid, plan.Network[grid.Name].Shape, new(plan.Network, layer, device));
        _makes = layer.Operand(grid.Name).Product!.Makes;
        _weight = TorchGraph.View(plan.Network[grid.Name]).to(device);
        Tensor Of(IEnumerable<float> values) => tensor([.. values], [.. _grid.ScaleShape(_shape).Select(size => (long)size)], device: device);
        _scales = Of(_grid.Scales);
        _lowest = Spread(Of(_grid.ZeroPoints.Select(zero => (float)(grid.Lowest - zero))));
        _highest = Spread(Of(_grid.ZeroPoints.Select(zero => (float)(grid.Highest - zero))));
        if (root is not null)
        {
            var (scale, zero) = plan.Ranges[root];
            Tensor Number(float value) => tensor(value, device: device);
            _input = (Number(scale), Number(byte.MinValue - zero), Number(byte.MaxValue - zero));
        }

        (_weightChange, _inputChange) = (new(zeros_like(_scales)), new(zeros(1, device: device)));
    }

    /// <summary>The plan with steps that make the squared error of a layer's outputs least, as far as was seen.</summary>
    /// <param name="plan">Steps of earlier layers are learned.</param>
    /// <param name="layer">A layer that multiplies two operands.</param>
    /// <param name="weight">Name of its weight.</param>
    /// <param name="root">The tensor whose range is learned too; null for none.</param>
    /// <param name="step">Has the rows.</param>
    /// <param name="iterations">Steps of Adam, each on a batch.</param>
    public static QuantizationPlan Learn(QuantizationPlan plan, LayerInfo layer, string weight, string? root, QuantizationStep step, int iterations)
    {
        using var scope = NewDisposeScope();
        using var threads = new TorchThreads(TorchThreads.Worth(plan.Network, QuantizationStep.Batch));
        var learner = new LayerSteps(plan, layer, plan.Weights.First(grid => grid.Name == weight), root, step.Device);
        var batches = learner.Read(plan, layer, root, step);
        learner.Descend(learner._weightChange, batches, learner.ByUnit(layer, plan.Network, batches[0].Made), iterations, step);
        if (root is not null)
        {
            learner.Descend(learner._inputChange, batches, null, iterations, step);
        }

        return plan.With(weight, TensorValues.Of(learner._weightChange), root, TensorValues.Of(learner._inputChange)[0]);
    }

    /// <summary>What the layer reads where what comes before it is rounded, and what it makes where nothing is.</summary>
    private List<(Tensor Read, Tensor Made)> Read(QuantizationPlan plan, LayerInfo layer, string? root, QuantizationStep step)
    {
        using var noGrad = no_grad();
        var quantized = plan.Write(step, root);
        var place = Array.IndexOf([.. layer.Node.Inputs], _linear.Data);
        var reader = quantized.Nodes.First(node => node.Name == layer.Node.Name && node.Operator == layer.Node.Operator);
        using TorchGraph floats = Graph(plan.Network, _linear.Data), rounded = Graph(quantized, reader.Inputs[place]);
        var (batches, numbers) = (new List<(Tensor, Tensor)>(), 0L);
        foreach (var (rows, count) in step.Batches(plan.Network))
        {
            using var scope = NewDisposeScope();
            var batch = tensor(rows.AsSpan(0, count * plan.Network.RowSize).ToArray(), [count, plan.Network.RowSize], device: _weight.device);
            var made = _linear.Run(floats.Forward(batch), _ => _weight).MoveToOuterDisposeScope();
            var read = rounded.Forward(batch).MoveToOuterDisposeScope();
            batches.Add((read, made));
            numbers += read.numel() + made.numel();
            if (numbers > Most)
            {
                break;
            }
        }

        return batches;

        TorchGraph Graph(Network network, string tensor) => new(network, network.Parameters.ToDictionary(parameter => parameter.Name,
            parameter => TorchGraph.View(parameter).to(_weight.device)), logits: false, _weight.device, tensor);
    }

    /// <summary>Changes a step for those whose error is least, unit by unit where each has steps of its own.</summary>
    /// <param name="change">What is learned; it ends as the best that was seen.</param>
    /// <param name="batches">What the layer reads and is to make.</param>
    /// <param name="byUnit">The shape in which a number a unit goes with it; null where all units share it.</param>
    /// <param name="iterations">Steps of Adam.</param>
    /// <param name="step">Seed and cancellation.</param>
    private void Descend(TorchParameter change, List<(Tensor Read, Tensor Made)> batches, long[]? byUnit, int iterations, QuantizationStep step)
    {
        using var rule = Optimizer.Adam().Create([change], weightDecay: 0);
        var (random, order) = (new Random(step.Seed), Enumerable.Range(0, batches.Count).ToArray());
        var (best, least) = (change.detach().clone(), Error(batches, byUnit is not null));
        using Scalar scale = 1 / Math.Max(least.sum().item<double>(), float.Epsilon);
        for (var i = 0; i < iterations; i++)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            using var iteration = NewDisposeScope();
            if (i % order.Length == 0)
            {
                random.Shuffle(order);
            }

            rule.ClearGradients();
            Errors(batches[order[i % order.Length]]).sum().mul(scale).backward();
            rule.Step(LearningRate * (1 - (double)i / iterations));
            if ((i + 1) % Every == 0 || i == iterations - 1)
            {
                var errors = Error(batches, byUnit is not null);
                var better = errors.lt(least);
                best.copy_(where(byUnit is null ? better : better.reshape(byUnit), change.detach(), best));
                least.copy_(minimum(errors, least));
            }
        }

        using var noGrad = no_grad();
        change.copy_(best);
    }

    /// <summary>The squared error of all batches, by unit or in one number.</summary>
    private Tensor Error(List<(Tensor Read, Tensor Made)> batches, bool byUnit)
    {
        using var noGrad = no_grad();
        return batches.Select(batch =>
        {
            using var scope = NewDisposeScope();
            var errors = Errors(batch).to(ScalarType.Float64);
            return (byUnit ? errors : errors.sum()).MoveToOuterDisposeScope();
        }).Aggregate((sum, errors) => sum.add(errors, _one));
    }

    /// <summary>Squared errors of a batch, by unit.</summary>
    private Tensor Errors((Tensor Read, Tensor Made) batch)
    {
        var weight = Round(_weight, Spread(_scales * _weightChange.exp()), _lowest, _highest);
        var read = _input is var (scale, lowest, highest) ? Round(batch.Read, scale * _inputChange.exp(), lowest, highest) : batch.Read;
        var change = _linear.Run(read, _ => weight) - batch.Made;
        return (change * change).transpose(0, Node.Resolve(_makes, (int)change.dim())).flatten(1).sum([1L]);
    }

    private Tensor Round(Tensor values, Tensor step, Tensor lowest, Tensor highest)
        => QuantizationOperators.Rounded((values / step).clamp(lowest, highest), _one) * step;

    /// <summary>What each scale has one of, in a shape that goes with the weight.</summary>
    private Tensor Spread(Tensor scales) => _grid.Axis < 0 ? scales
        : _grid.Block > 0 ? scales.repeat_interleave(_grid.Block, _grid.Axis).narrow(_grid.Axis, 0, _shape[_grid.Axis])
        : scales.reshape([.. _shape.Select((_, d) => d == _grid.Axis ? -1L : 1)]);

    /// <summary>The shape in which a number a unit goes with the scales; null where units share them.</summary>
    private long[]? ByUnit(LayerInfo layer, Network network, Tensor made)
    {
        var output = layer.Axes(network[layer.Weights[0]]).Output;
        var dimension = _grid.Block > 0 ? output : _grid.Axis == output ? 0 : -1;
        return dimension >= 0 && made.shape[Node.Resolve(_makes, (int)made.dim())] == _scales.shape[dimension]
            ? [.. _scales.shape.Select((_, d) => d == dimension ? -1L : 1)] : null;
    }
}
