using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Optimizers;

/// <summary>Stochastic gradient descent as torch.optim.SGD does it, dampening 0: see <see cref="Optimizer.Sgd"/>.</summary>
internal sealed class SgdUpdate : UpdateRule
{
    private readonly Scalar _momentum;
    private readonly Scalar? _weightDecay;
    private readonly Tensor[]? _velocities;
    private readonly bool _nesterov;

    public SgdUpdate(IReadOnlyList<TorchParameter> parameters, double momentum, bool nesterov, double weightDecay) : base(parameters)
    {
        _momentum = momentum;
        _weightDecay = weightDecay > 0 ? weightDecay : (Scalar?)null;
        _velocities = momentum > 0 ? Zeros() : null;
        _nesterov = nesterov;
    }

    public override void Dispose()
    {
        base.Dispose();
        _momentum.Dispose();
        _weightDecay?.Dispose();
        foreach (var velocity in _velocities ?? [])
        {
            velocity.Dispose();
        }
    }

    protected override void Change(int index, Tensor values, Tensor gradient, double learningRate)
    {
        if (_weightDecay is not null)
        {
            gradient.add_(values, _weightDecay);
        }

        var direction = gradient;
        if (_velocities is not null)
        {
            var velocity = _velocities[index].mul_(_momentum).add_(gradient, One);
            direction = _nesterov ? gradient.add_(velocity, _momentum) : velocity;
        }

        using Scalar step = -learningRate;
        values.add_(direction, step);
    }
}
