using MLNet.Pruning.Scoring;
using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Regularizers;

/// <summary>Drops small weights for the length of a step.</summary>
internal sealed class TargetedDropoutStep(TargetedDropout options, Network network) : TrainingCallback
{
    private readonly List<(TorchParameter Values, int Output)> _weights = [];
    private readonly List<(TorchParameter Values, Tensor Trained, Tensor Kept)> _replaced = [];
    private Generator? _random;
    private Device _device = CPU;

    public override void Begin(TrainedWeights weights, long steps, int seed)
    {
        // Its own stream of numbers, apart from that of dropout layers.
        _random = new Generator((ulong)(uint)seed ^ 0x7A96E7EDUL);
        foreach (var name in network.Layers.SelectMany(layer => layer.Weights).Distinct())
        {
            if (weights.Graph.Parameters[name] is TorchParameter values && values.dim() > 1)
            {
                _weights.Add((values, PoolMember.Of(network, name, null).Axes.Output));
                _device = values.device;
            }
        }
    }

    public override void BeforeForward()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Scalar rate = options.Rate;
        foreach (var (values, output) in _weights)
        {
            // Units x what they read; the threshold of a unit is its smallest weight that is safe.
            var units = values.shape[output];
            var sizes = values.transpose(0, output).reshape(units, -1).abs();
            var count = (long)Math.Round(options.Targeted * sizes.shape[1]);
            if (count == 0)
            {
                continue;
            }

            var threshold = sizes.kthvalue(count, 1, keepdim: true).values;
            var drawn = rand(sizes.shape, generator: _random).to(_device);
            var kept = sizes.le(threshold).logical_and(drawn.lt(rate)).logical_not().to(values.dtype);
            var shape = values.transpose(0, output).shape;
            var mask = kept.view(shape).transpose(0, output);
            _replaced.Add((values, values.clone().DetachFromDisposeScope(), mask.DetachFromDisposeScope()));
            values.mul_(mask);
        }
    }

    public override void AfterBackward()
    {
        using var noGrad = no_grad();
        foreach (var (values, trained, kept) in _replaced)
        {
            values.copy_(trained);
            values.grad?.mul_(kept);
            trained.Dispose();
            kept.Dispose();
        }

        _replaced.Clear();
    }

    public override void Dispose() => _random?.Dispose();
}
