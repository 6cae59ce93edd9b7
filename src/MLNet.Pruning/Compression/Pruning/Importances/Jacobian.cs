using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The derivative J of a tensor by parameters, which is never formed: a product with it is the derivative of J'u by u, and one with its transpose is a backward
/// pass (Pearlmutter 1994, "Fast Exact Multiplication by the Hessian"). Its tensors belong to the caller's dispose scope.
/// </summary>
internal sealed class Jacobian
{
    private readonly Tensor[] _parameters;
    private readonly Tensor _cotangent;
    private readonly Tensor[] _slopes;
    private readonly int[] _used;
    private readonly bool _isKept;

    /// <param name="output">The tensor, as it was just computed.</param>
    /// <param name="parameters">What it may depend on.</param>
    /// <param name="isKept">Whether it is asked for products again and again, and not just for one of each kind, that with J before that with J'.</param>
    public Jacobian(Tensor output, Tensor[] parameters, bool isKept)
    {
        (Output, _parameters, _isKept) = (output, parameters, isKept);
        _cotangent = zeros_like(output).requires_grad_(true);
        var slopes = autograd.grad([output], parameters, [_cotangent], retain_graph: true, create_graph: true, allow_unused: true);
        _used = [.. Enumerable.Range(0, slopes.Count).Where(i => slopes[i] is { IsInvalid: false, requires_grad: true })];
        _slopes = [.. _used.Select(i => slopes[i]!)];
    }

    public Tensor Output { get; }

    /// <summary>J v, of the shape of the output.</summary>
    /// <param name="direction">Of the shapes of the parameters.</param>
    public Tensor Times(Tensor[] direction)
        => autograd.grad(_slopes, [_cotangent], [.. _used.Select(i => direction[i])], retain_graph: _isKept)[0]!;

    /// <summary>J'u, by parameter; null where the output does not depend on it.</summary>
    /// <param name="cotangent">Of the shape of the output.</param>
    public Tensor?[] TransposedTimes(Tensor cotangent) => TransposedTimes(Output, _parameters, cotangent, _isKept);

    /// <summary>J'u where nothing else is asked for.</summary>
    /// <inheritdoc cref="Jacobian(Tensor, Tensor[], bool)"/>
    /// <inheritdoc cref="TransposedTimes(Tensor)"/>
    public static Tensor?[] TransposedTimes(Tensor output, Tensor[] parameters, Tensor cotangent, bool isKept = false)
        => [.. autograd.grad([output], parameters, [cotangent], retain_graph: isKept, allow_unused: true)
            .Select(slope => slope is { IsInvalid: false } ? slope : null)];
}
