using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Optimizers;

/// <summary>Adam and AdamW as torch.optim does them: see <see cref="Optimizer.Adam"/> and <see cref="Optimizer.AdamW"/>.</summary>
internal sealed class AdamUpdate : UpdateRule
{
    private readonly (double First, double Second) _betas;
    private readonly double _epsilon;
    private readonly double _weightDecay;
    private readonly bool _decoupled;
    private readonly Tensor[] _means;
    private readonly Tensor[] _squares;
    private readonly Scalar _meanDecay;
    private readonly Scalar _meanShare;
    private readonly Scalar _squareDecay;
    private readonly Scalar _squareShare;
    private int _steps;

    public AdamUpdate(IReadOnlyList<TorchParameter> parameters, double beta1, double beta2, double epsilon, double weightDecay, bool decoupled)
        : base(parameters)
    {
        (_betas, _epsilon, _weightDecay, _decoupled) = ((beta1, beta2), epsilon, weightDecay, decoupled);
        (_means, _squares) = (Zeros(), Zeros());
        (_meanDecay, _meanShare, _squareDecay, _squareShare) = (beta1, 1 - beta1, beta2, 1 - beta2);
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (var state in _means.Concat(_squares))
        {
            state.Dispose();
        }

        foreach (var scalar in new[] { _meanDecay, _meanShare, _squareDecay, _squareShare })
        {
            scalar.Dispose();
        }
    }

    protected override void Begin() => _steps++;

    protected override void Change(int index, Tensor values, Tensor gradient, double learningRate)
    {
        if (_weightDecay > 0 && _decoupled)
        {
            using Scalar kept = 1 - learningRate * _weightDecay;
            values.mul_(kept);
        }
        else if (_weightDecay > 0)
        {
            using Scalar decay = _weightDecay;
            gradient.add_(values, decay);
        }

        var mean = _means[index].mul_(_meanDecay).add_(gradient, _meanShare);
        var square = _squares[index].mul_(_squareDecay).addcmul_(gradient, gradient, _squareShare);

        // m / bias1 / (sqrt(v / bias2) + epsilon), with the bias of v moved out of the tensor: one pass over it less.
        var rootBias = Math.Sqrt(1 - Math.Pow(_betas.Second, _steps));
        using Scalar epsilon = _epsilon * rootBias;
        using Scalar step = -learningRate * rootBias / (1 - Math.Pow(_betas.First, _steps));
        values.addcdiv_(mean, square.sqrt().add_(epsilon, One), step);
    }
}
