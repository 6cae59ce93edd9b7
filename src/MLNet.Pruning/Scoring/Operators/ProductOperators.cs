using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Products of matrices.</summary>
internal static class ProductOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } = [new("Gemm", Gemm), new("MatMul", MatMul), new("Einsum", Einsum)];

    private static Action<Pass> Gemm(OperatorContext context)
    {
        var (a, b, c) = (context.Input(0), context.Input(1), context.Optional(2));
        var (transA, transB) = (context.Node.Int("transA", 0) == 1, context.Node.Int("transB", 0) == 1);
        var (alpha, beta) = (context.Node.Float("alpha", 1), context.Node.Float("beta", 1));
        var isBias = c == OperatorContext.Absent
            || (beta == 1 && context.Shape(2) is { IsDefault: false, Length: 1 } bias && context.Shape(1) is { IsDefault: false } weight && bias[0]
                == weight[transB ? 0 : 1]);
        if (transB && !transA && alpha == 1 && isBias)
        {
            return context.Returns(pass => F.linear(pass[a], pass[b], pass.Find(c)));
        }

        Scalar scale = alpha, share = beta;
        return context.ReturnsComposed(pass =>
        {
            var left = transA ? pass[a].t() : pass[a];
            var right = transB ? pass[b] : pass[b].t();
            if (alpha == 1 && isBias)
            {
                return F.linear(left, right, pass.Find(c));
            }

            var product = F.linear(left, right);
            product = alpha == 1 ? product : product.mul(scale);
            return pass.Find(c) is { } added ? product.add(added, share) : product;
        });
    }

    private static Action<Pass> MatMul(OperatorContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        return context.Returns(pass => pass[a].matmul(pass[b]));
    }

    private static Action<Pass> Einsum(OperatorContext context)
    {
        var inputs = Enumerable.Range(0, context.Node.Inputs.Length).Select(context.Input).ToArray();
        var equation = context.Node.Text("equation", "");
        return context.Returns(pass => einsum(equation, [.. inputs.Select(input => pass[input])]));
    }
}
