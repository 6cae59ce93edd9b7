using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>
/// Rewrites operators that stand for several simpler ones as those: what ONNX Runtime's optimizer fuses (domain com.microsoft), the
/// attention of the standard, and sums of products written as an equation. So all that is known of the simple ones, shapes, groups, costs and
/// gradients, is known of them; ONNX Runtime fuses them again when it loads a file. A form that cannot be rewritten exactly is carried.
/// </summary>
internal static class OperatorExpansion
{
    private const string Microsoft = "com.microsoft";

    /// <summary>Epsilon of the normalisations of a sum in com.microsoft, unless they say another.</summary>
    private const float SkipEpsilon = 1e-12f;

    /// <summary>Emits what a node stands for; false, with nothing emitted, where its form is not known.</summary>
    private delegate bool Rule(Node node, Expansion to);

    private static readonly FrozenDictionary<(string Domain, string Operator), Rule> s_rules = new Dictionary<(string, string), Rule>
    {
        [("", "Attention")] = AttentionExpansion.Standard,
        [("", "RMSNormalization")] = RootMeanSquare,
        [("", "SimplifiedLayerNormalization")] = RootMeanSquare,
        [("", "RotaryEmbedding")] = (node, to) => RotaryExpansion.Expand(node, to, cosines: 1, sines: 2, positions: 3),
        [("", "Einsum")] = EinsumExpansion.Expand,
        [("", "QLinearConv")] = QuantizedExpansion.Convolution,
        [("", "QLinearMatMul")] = QuantizedExpansion.Product,
        [(Microsoft, "Attention")] = AttentionExpansion.Packed,
        [(Microsoft, "MultiHeadAttention")] = AttentionExpansion.MultiHead,
        [(Microsoft, "RotaryEmbedding")] = (node, to) => RotaryExpansion.Expand(node, to, cosines: 2, sines: 3, positions: 1),
        [(Microsoft, "SkipLayerNormalization")] = SkipLayerNormalization,
        [(Microsoft, "SkipSimplifiedLayerNormalization")] = SkipRootMeanSquare,
        [(Microsoft, "SimplifiedLayerNormalization")] = RootMeanSquare,
        [(Microsoft, "EmbedLayerNormalization")] = EmbedLayerNormalization,
        [(Microsoft, "Gelu")] = (node, to) => Activated(node, to, node.Inputs[0], "Gelu"),
        [(Microsoft, "BiasGelu")] = (node, to) => Activated(node, to, to.Emit("Add", [node.Inputs[0], node.Inputs[1]]), "Gelu"),
        [(Microsoft, "FastGelu")] = (node, to)
            => Activated(node, to, node.Input(1) is { } bias ? to.Emit("Add", [node.Inputs[0], bias]) : node.Inputs[0], "Gelu", ("approximate", "tanh")),
        [(Microsoft, "QuickGelu")] = QuickGelu,
        [(Microsoft, "QGemm")] = QuantizedExpansion.Dense,
        [(Microsoft, "QLinearAdd")] = (node, to) => QuantizedExpansion.Joined(node, to, "Add"),
        [(Microsoft, "QLinearMul")] = (node, to) => QuantizedExpansion.Joined(node, to, "Mul"),
        [(Microsoft, "QLinearGlobalAveragePool")] = (node, to) => QuantizedExpansion.Pooled(node, to, "GlobalAveragePool"),
        [(Microsoft, "QLinearAveragePool")] = (node, to) => QuantizedExpansion.Pooled(node, to, "AveragePool"),
        [(Microsoft, "QLinearConcat")] = QuantizedExpansion.Concatenated,
        [(Microsoft, BlockProduct.Operator)] = QuantizedExpansion.Blocks,
        [(Microsoft, "FusedMatMul")] = FusedMatMul,
        [(Microsoft, "FusedGemm")] = FusedGemm,
        [(Microsoft, "FusedConv")] = FusedConv,
    }.ToFrozenDictionary();

    /// <summary>Whether a node was rewritten.</summary>
    public static bool TryExpand(Node node, Expansion to) => s_rules.TryGetValue((node.Domain, node.Operator), out var rule) && rule(node, to);

    /// <summary>Whether a node writes one of some outputs.</summary>
    public static bool Writes(Node node, params ReadOnlySpan<int> outputs)
    {
        foreach (var output in outputs)
        {
            if (output < node.Outputs.Length && node.Outputs[output].Length > 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Activated(Node node, Expansion to, string x, string activation, params (string Name, object Value)[] attributes)
    {
        to.EmitAs(node.Outputs[0], activation, [x], attributes);
        return true;
    }

    private static bool QuickGelu(Node node, Expansion to)
    {
        var x = node.Inputs[0];
        to.EmitAs(node.Outputs[0], "Mul", [x, to.Emit("Sigmoid", [to.Emit("Mul", [x, to.Number(node.Float("alpha", 1.702f))])])]);
        return true;
    }

    private static bool RootMeanSquare(Node node, Expansion to)
    {
        if (Writes(node, 1) || to.Shape(node.Inputs[0]) is not { IsDefault: false } shape)
        {
            return false;
        }

        var axis = (int)(node.Int("axis", -1) is var a && a < 0 ? a + shape.Length : a);
        RootMeanSquare(node, to, node.Inputs[0], node.Inputs[1], 1e-5f, [.. Enumerable.Range(axis, shape.Length - axis).Select(i => (long)i)]);
        return true;
    }

    /// <summary>x / sqrt(mean(x^2) + epsilon) * scale.</summary>
    private static void RootMeanSquare(Node node, Expansion to, string x, string scale, float epsilon, long[] axes)
    {
        var mean = to.Emit("ReduceMean", [to.Emit("Pow", [x, to.Number(2)])], ("axes", axes));
        var root = to.Emit("Sqrt", [to.Emit("Add", [mean, to.Number(node.Float("epsilon", epsilon))])]);
        to.EmitAs(node.Outputs[0], "Mul", [to.Emit("Div", [x, root]), scale]);
    }

    private static bool SkipLayerNormalization(Node node, Expansion to)
    {
        if (Writes(node, 1, 2))
        {
            return false;
        }

        var sum = Sum(node, to, node.Input(4));
        to.EmitAs(node.Outputs[0], "LayerNormalization", node.Input(3) is { } beta ? [sum, node.Inputs[2], beta] : [sum, node.Inputs[2]],
            ("axis", -1L), ("epsilon", node.Float("epsilon", SkipEpsilon)));
        return true;
    }

    private static bool SkipRootMeanSquare(Node node, Expansion to)
    {
        if (Writes(node, 1, 2) || to.Shape(node.Inputs[0]) is not { IsDefault: false } shape)
        {
            return false;
        }

        RootMeanSquare(node, to, Sum(node, to, node.Input(3)), node.Inputs[2], SkipEpsilon, [shape.Length - 1]);
        return true;
    }

    /// <summary>Input, skip and bias added up, which the fourth output is.</summary>
    private static string Sum(Node node, Expansion to, string? bias)
    {
        var (input, skip, written) = (node.Inputs[0], node.Inputs[1], Writes(node, 3) ? node.Outputs[3] : null);
        return bias is null ? to.Emit(written, "Add", [input, skip]) : to.Emit(written, "Add", [to.Emit("Add", [input, skip]), bias]);
    }

    /// <summary>Embeddings of words, positions and segments added up and normalised; the second output counts the words that are no padding.</summary>
    private static bool EmbedLayerNormalization(Node node, Expansion to)
    {
        var ids = node.Inputs[0];
        if (to.Shape(ids) is not { IsDefault: false, Length: 2 } shape)
        {
            return false;
        }

        var (words, positions, epsilon) = (to.Emit("Gather", [node.Inputs[2], ids], ("axis", 0L)), node.Inputs[3], node.Float("epsilon", SkipEpsilon));
        positions = node.Input(8) is { } places ? to.Emit("Gather", [positions, places], ("axis", 0L))
            : to.Emit("Slice", [positions], ("starts", new[] { 0L }), ("ends", new[] { FoldedValue.FromSize(shape[1]) }), ("axes", new[] { 0L }));
        string[] parts = node.Input(4) is { } segments ? [words, positions, to.Emit("Gather", [segments, node.Inputs[1]], ("axis", 0L))] : [words, positions];
        var sum = parts[0];
        for (var i = 1; i < parts.Length; i++)
        {
            sum = to.Emit(i == parts.Length - 1 && Writes(node, 2) ? node.Outputs[2] : null, "Add", [sum, parts[i]]);
        }

        to.EmitAs(node.Outputs[0], "LayerNormalization", [sum, node.Inputs[5], node.Inputs[6]], ("axis", -1L), ("epsilon", epsilon));
        if (Writes(node, 1))
        {
            // Without a mask it is zero.
            to.EmitAs(node.Outputs[1], "ReduceSum", [node.Input(7) ?? to.Emit("Sub", [ids, ids])], ("axes", new[] { 1L }), ("keepdims", 0L));
        }

        return true;
    }

    private static bool FusedMatMul(Node node, Expansion to)
    {
        if (node.Int("transBatchA", 0) == 1 || node.Int("transBatchB", 0) == 1 || node.Inputs.Any(input => to.Shape(input).IsDefault))
        {
            return false;
        }

        var operands = new[] { "transA", "transB" }.Select((attribute, i) => node.Int(attribute, 0) == 1 ? to.Transposed(node.Inputs[i]) : node.Inputs[i])
            .ToArray();
        if (node.Float("alpha", 1) is var alpha && alpha == 1)
        {
            to.EmitAs(node.Outputs[0], "MatMul", operands);
        }
        else
        {
            to.EmitAs(node.Outputs[0], "Mul", [to.Emit("MatMul", operands), to.Number(alpha)]);
        }

        return true;
    }

    private static bool FusedGemm(Node node, Expansion to)
    {
        var parameters = new[] { "activation_alpha", "activation_beta" }.Where(node.Attributes.ContainsKey).Select(name => node.Float(name, 0)).ToArray();
        return Activation(node, parameters) is { } activation && Fused(node, to, "Gemm", node.Inputs, null, activation);
    }

    private static bool FusedConv(Node node, Expansion to) => Activation(node, node.Floats("activation_params")) is { } activation
        && Fused(node, to, "Conv", node.Inputs.Take(3), node.Input(3), activation);

    private static bool Fused(Node node, Expansion to, string @operator, IEnumerable<string> inputs, string? added,
        (string Operator, (string, object)[] Attributes) activation)
    {
        var own = node.Attributes.Where(attribute => !attribute.Key.StartsWith("activation", StringComparison.Ordinal))
            .Select(attribute => (attribute.Key, attribute.Value)).ToArray();
        var isLast = added is null && activation.Operator.Length == 0;
        var result = to.Emit(isLast ? node.Outputs[0] : null, @operator, [.. inputs], own);
        if (added is not null)
        {
            result = to.Emit(activation.Operator.Length == 0 ? node.Outputs[0] : null, "Add", [result, added]);
        }

        if (activation.Operator.Length > 0)
        {
            to.EmitAs(node.Outputs[0], activation.Operator, [result], activation.Attributes);
        }

        return true;
    }

    /// <summary>The activation that is fused into a node, an empty one for none; null where it is not known.</summary>
    private static (string Operator, (string, object)[] Attributes)? Activation(Node node, float[] parameters)
        => (node.Text("activation", ""), parameters) switch
    {
        ("", _) => ("", []),
        (("Relu" or "Tanh" or "Sigmoid" or "Softplus" or "Softsign" or "HardSwish") and var name, _) => (name, []),
        (("LeakyRelu" or "Elu" or "ThresholdedRelu") and var name, [var alpha, ..]) => (name, [("alpha", alpha)]),
        (("LeakyRelu" or "Elu" or "ThresholdedRelu") and var name, []) => (name, []),
        ("HardSigmoid", [var alpha, var beta]) => ("HardSigmoid", [("alpha", alpha), ("beta", beta)]),
        ("HardSigmoid", []) => ("HardSigmoid", []),
        ("Clip", [var min, var max]) => ("Clip", [("min", min), ("max", max)]),
        _ => null,
    };
}
