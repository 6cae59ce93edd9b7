using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Optimizers;

/// <summary>
/// Turns the gradients of a step into changes of the weights. TorchSharp's own optimizers are not used: they pass temporary scalars to
/// native code without keeping them alive, and a collection at that moment frees a scalar in use, which ends the training or falsifies a
/// step. Here, as everywhere, every scalar lives until after its call; mind that <c>add(x)</c>, <c>a + b</c>, <c>square()</c> and others
/// make one themselves, <c>add(x, One)</c> does not. These rules take fewer passes over the weights, too.
/// </summary>
/// <remarks>
/// On a GPU, where starting an operation takes longer than the operation on a small tensor, the parameters are laid one behind another in memory, so that a
/// step is one operation on all of them for each on one.
/// </remarks>
internal abstract class UpdateRule : IDisposable
{
    private readonly IReadOnlyList<TorchParameter> _parameters;
    private readonly Tensor? _all;

    protected UpdateRule(IReadOnlyList<TorchParameter> parameters)
    {
        _parameters = parameters;
        if (parameters.Count > 1 && parameters.All(parameter => parameter.device_type == DeviceType.CUDA))
        {
            _all = Join(parameters);
        }
    }

    protected Scalar One { get; } = 1.0;

    /// <summary>Drops the gradients: the next backward pass then hands its own over instead of adding to them.</summary>
    public void ClearGradients()
    {
        foreach (var parameter in _parameters)
        {
            parameter.grad = null;
        }
    }

    /// <summary>Changes every parameter that has a gradient.</summary>
    public void Step(double learningRate)
    {
        using var noGrad = no_grad();
        Begin();
        Tensor?[] gradients = [.. _parameters.Select(parameter => parameter.grad)];
        if (_all is not null && gradients.All(gradient => gradient is not null))
        {
            using var scope = NewDisposeScope();
            Change(_parameters.Count, _all, cat([.. gradients.Select(gradient => gradient!.reshape(-1))]), learningRate);
            return;
        }

        for (var i = 0; i < gradients.Length; i++)
        {
            if (gradients[i] is { } gradient)
            {
                Change(i, _parameters[i], gradient, learningRate);
            }
        }
    }

    public virtual void Dispose()
    {
        One.Dispose();
        _all?.Dispose();
    }

    /// <summary>Called once before the parameters of a step.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>Changes one parameter, or all as one; the gradient may be written over.</summary>
    protected abstract void Change(int index, Tensor values, Tensor gradient, double learningRate);

    /// <summary>
    /// A tensor of zeros for every parameter, in its layout in memory, that lives as long as the rule; where all are one, behind them one that they are parts
    /// of.
    /// </summary>
    protected Tensor[] Zeros()
    {
        using var scope = NewDisposeScope();
        if (_all is null)
        {
            return [.. _parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
        }

        var all = zeros_like(_all);
        return [.. Parts(all, _parameters).Append(all).Select(part => part.DetachFromDisposeScope())];
    }

    /// <summary>Moves parameters to one block of memory.</summary>
    private static Tensor Join(IReadOnlyList<TorchParameter> parameters)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = cat([.. parameters.Select(parameter => parameter.reshape(-1))]);
        foreach (var (parameter, part) in parameters.Zip(Parts(all, parameters)))
        {
            parameter.set_(part);
        }

        return all.DetachFromDisposeScope();
    }

    private static IEnumerable<Tensor> Parts(Tensor all, IReadOnlyList<TorchParameter> parameters)
    {
        var start = 0L;
        foreach (var parameter in parameters)
        {
            yield return all.narrow(0, start, parameter.numel()).view(parameter.shape);
            start += parameter.numel();
        }
    }
}
