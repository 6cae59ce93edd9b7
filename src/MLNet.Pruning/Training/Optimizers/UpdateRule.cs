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
internal abstract class UpdateRule(IReadOnlyList<TorchParameter> parameters) : IDisposable
{
    protected Scalar One { get; } = 1.0;

    /// <summary>Drops the gradients: the next backward pass then hands its own over instead of adding to them.</summary>
    public void ClearGradients()
    {
        foreach (var parameter in parameters)
        {
            parameter.grad = null;
        }
    }

    /// <summary>Changes every parameter that has a gradient.</summary>
    public void Step(double learningRate)
    {
        using var noGrad = no_grad();
        Begin();
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].grad is { } gradient)
            {
                Change(i, parameters[i], gradient, learningRate);
            }
        }
    }

    public virtual void Dispose() => One.Dispose();

    /// <summary>Called once before the parameters of a step.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>Changes one parameter; the gradient may be written over.</summary>
    protected abstract void Change(int index, Tensor values, Tensor gradient, double learningRate);

    /// <summary>A tensor of zeros for every parameter, in its layout in memory, that lives as long as the rule.</summary>
    protected Tensor[] Zeros()
    {
        using var scope = NewDisposeScope();
        return [.. parameters.Select(parameter => zeros_like(parameter).DetachFromDisposeScope())];
    }
}
