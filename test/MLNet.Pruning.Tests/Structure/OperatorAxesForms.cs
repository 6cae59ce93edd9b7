using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>An operator with what it reads, and the dimensions that have to stay live through it.</summary>
/// <param name="Operator">Its name.</param>
/// <param name="Operands">Shapes of tensors, <see cref="Weights"/>, <see cref="Integers"/>, or null for one left out.</param>
/// <param name="Live">
/// Dimensions of the tensors of which something can go before a layer that reads all values in a row, where of several that shrink the
/// longest does: one text a tensor, such as "02".
/// </param>
internal sealed record OperatorAxes(string Operator, object?[] Operands, params string[] Live)
{
    public (string Name, object Value)[] Attributes { get; init; } = [];

    public int Opset { get; init; } = 17;

    public int Outputs { get; init; } = 1;

    /// <summary>What it reads, where that is no floats.</summary>
    public DataType Reads { get; init; } = DataType.Float;

    /// <summary>Whether it reads numbers of less than one.</summary>
    public bool ReadsSmall { get; init; }

    public string Domain { get; init; } = "";

    public override string ToString() => $"{Operator} {Opset} {string.Join(",", Attributes.Select(attribute => attribute.Name))} {Operands.Length}";
}

/// <summary>Weights of the file.</summary>
internal sealed record Weights(params int[] Shape);

/// <summary>Integers of the file.</summary>
internal sealed record Integers(int[] Shape, params long[] Values)
{
    public static Integers Of(params long[] values) => new([values.Length], values);
}

/// <summary>Every operator that the analysis follows, over small tensors.</summary>
internal static class OperatorAxesForms
{
    private static readonly int[] s_matrix = [3, 4, 6];
    private static readonly int[] s_image = [2, 4, 6, 6];

    private static readonly string[] s_unary =
    [
        "Relu", "LeakyRelu", "Tanh", "HardSwish", "Elu", "Selu", "Celu", "Softsign", "Mish", "ThresholdedRelu", "Erf", "Sqrt", "Abs", "Neg", "Ceil", "Floor",
        "Round",
        "Sign", "Sin", "Identity", "Shrink", "Sigmoid", "HardSigmoid", "Softplus", "Exp", "Cos", "IsNaN", "IsInf", "Dropout", "Tan", "Atan", "Sinh", "Cosh",
        "Asinh",
    ];

    public static IEnumerable<OperatorAxes> All { get; } =
    [
        .. s_unary.Select(name => new OperatorAxes(name, [s_matrix], "012") { Opset = 18 }),
        new("Gelu", [s_matrix], "012") { Opset = 20 },
        new("Swish", [s_matrix], "012") { Opset = 24 },
        new("Cast", [s_matrix], "012") { Attributes = [("to", 1L)] },
        new("Not", [s_matrix], "012") { Reads = DataType.Bool },
        new("Clip", [s_matrix], "012") { Opset = 10, Attributes = [("min", 0.5f), ("max", 2f)] },
        new("QuantizeLinear", [s_matrix, new Weights()], "012"), new("QuantizeLinear", [s_matrix, new Weights(4)], "") { Attributes = [("axis", 1L)] },
        new("DequantizeLinear", [s_matrix, new Weights()], "012"),
        new("DynamicQuantizeLinear", [s_matrix], "012") { Outputs = 3 },
        new("Log", [s_matrix], ""), new("Reciprocal", [s_matrix], ""), new("Acosh", [s_matrix], ""),
        .. new[] { "Asin", "Acos", "Atanh" }.Select(name => new OperatorAxes(name, [s_matrix], "012") { ReadsSmall = true }),
        .. new[] { "Add", "Sub", "Mul", "Min", "Max", "Mean", "Sum", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual" }
            .SelectMany(name => new OperatorAxes[] { new(name, [s_matrix, s_matrix], "012", "012"), new(name, [s_matrix, new[] { 4, 1 }], "012", "0"),
                new(name, [s_matrix, new Weights(6)], "012") }),
        .. new[] { "And", "Or", "Xor" }.Select(name => new OperatorAxes(name, [s_matrix, s_matrix], "012", "012") { Reads = DataType.Bool }),
        new("BitwiseNot", [s_matrix], "012") { Reads = DataType.Int64, Opset = 18 },
        .. new[] { "BitwiseAnd", "BitwiseOr", "BitwiseXor" }
            .Select(name => new OperatorAxes(name, [s_matrix, s_matrix], "012", "012") { Reads = DataType.Int64, Opset = 18 }),
        new("Where", [new Integers([6], 1, 0, 1, 1, 0, 1), s_matrix, s_matrix], "01", "01"),
        new("Mod", [s_matrix, new Weights(6)], "012") { Attributes = [("fmod", 1L)] },
        new("Pow", [s_matrix, new Weights(6)], "012"), new("Pow", [s_matrix, s_matrix], "", ""),
        new("Div", [s_matrix, s_matrix], "", ""), new("Div", [s_matrix, new Weights(6)], "012"), new("PRelu", [s_matrix, new Weights(6)], "012"),
        new("PRelu", [s_matrix, s_matrix], "012", "012"),
        new("Conv", [s_image, new Weights(5, 4, 3, 3), new Weights(5)], "1") { Attributes = [("pads", Ints(1, 1, 1, 1))] },
        new("Conv", [s_image, new Weights(5, 4, 1, 1)], "1"),
        new("Conv", [s_image, new Weights(6, 2, 3, 3)], "1") { Attributes = [("group", 2L)] },
        new("Conv", [s_image, new Weights(4, 1, 3, 3), new Weights(4)], "1") { Attributes = [("group", 4L)] },
        new("Conv", [s_matrix, new Weights(5, 4, 3)], "1"),
        new("ConvTranspose", [s_image, new Weights(4, 5, 3, 3), new Weights(5)], "1") { Attributes = [("strides", Ints(2, 2))] },
        new("ConvTranspose", [s_image, new Weights(4, 3, 2, 2)], "1") { Attributes = [("group", 2L)] },
        new("ConvTranspose", [s_matrix, new Weights(4, 5, 1)], "1"),
        new("Gemm", [new[] { 4, 6 }, new Weights(6, 5), new Weights(5)], "1"),
        new("Gemm", [new[] { 4, 6 }, new Weights(5, 6), new Weights(4, 5)], "1") { Attributes = [("transB", 1L)] },
        new("Gemm", [new[] { 4, 6 }, new[] { 6, 5 }], "0 1", "0 1"),
        new("MatMul", [s_matrix, new Weights(6, 5)], "2"), new("MatMul", [new Weights(5, 4), s_matrix], "12"),
        new("MatMul", [s_matrix, new[] { 3, 6, 5 }], "012", "012"),
        // Not by a vector on the right: ONNX Runtime's optimizer leaves out the transposition in front of it.
        new("MatMul", [new Weights(4), s_matrix], "012"),
        new("BatchNormalization", [s_image, new Weights(4), new Weights(4), new Weights(4), new Weights(4)], "0123"),
        new("InstanceNormalization", [s_image, new Weights(4), new Weights(4)], "01"),
        new("LayerNormalization", [s_matrix, new Weights(6), new Weights(6)], "01"),
        new("LayerNormalization", [s_matrix, new Weights(4, 6)], "0") { Attributes = [("axis", 1L)] },
        new("GroupNormalization", [s_image, new Weights(4), new Weights(4)], "01") { Opset = 21, Attributes = [("num_groups", 2L)] },
        new("GroupNormalization", [s_image, new Weights(2), new Weights(2)], "01") { Opset = 18, Attributes = [("num_groups", 2L)] },
        new("GroupNormalization", [s_image, new Weights(4), new Weights(4)], "0") { Opset = 21, Attributes = [("num_groups", 1L)] },
        new("LRN", [s_image], "023") { Attributes = [("size", 3L)] },
        new("LpNormalization", [s_matrix], "01"), new("Trilu", [s_matrix], "0"),
        .. new[] { "MaxPool", "AveragePool", "LpPool" }.Select(name => new OperatorAxes(name, [s_image], "01") { Attributes = [("kernel_shape", Ints(2, 2))] }),
        .. new[] { "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool" }.Select(name => new OperatorAxes(name, [s_image], "01")),
        new("MaxPool", [s_image], "") { Attributes = [("kernel_shape", Ints(2, 2))], Outputs = 2 },
        .. new[] { "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
            "ReduceLogSumExp" }.Select(name => new OperatorAxes(name, [s_matrix], "02") { Attributes = [("axes", Ints(1))] }),
        .. new[] { "ReduceL1", "ReduceL2", "ReduceSumSquare" }.Select(name => new OperatorAxes(name, [s_matrix], "012") { Attributes = [("axes", Ints(1))] }),
        new("ReduceLogSum", [s_matrix], "") { Attributes = [("axes", Ints(1)), ("keepdims", 0L)] },
        new("ReduceSum", [s_matrix, Integers.Of(1)], "012"), new("ReduceSum", [s_matrix], "012"),
        .. new[] { "Softmax", "LogSoftmax", "Hardmax" }.SelectMany(name => new OperatorAxes[]
        {
            new(name, [s_matrix], "01"), new(name, [s_matrix], "02") { Attributes = [("axis", 1L)] },
            new(name, [s_matrix], "0") { Opset = 11, Attributes = [("axis", 1L)] },
        }),
        new("CumSum", [s_matrix, new Integers([], 1)], "02"),
        new("CumProd", [s_matrix, new Integers([], 1)], "02") { Opset = 26 },
        new("CumProd", [s_matrix, new Integers([], -1)], "01") { Opset = 26, Attributes = [("exclusive", 1L)] },
        new("TensorScatter", [s_matrix, new[] { 3, 2, 6 }, Integers.Of(1, 0, 2)], "2", "2") { Opset = 24 },
        new("TensorScatter", [s_matrix, new[] { 3, 4, 2 }], "01", "01") { Opset = 24, Attributes = [("axis", 2L), ("mode", "circular")] },
        .. new[] { "ArgMax", "ArgMin" }.Select(name => new OperatorAxes(name, [s_matrix], "02") { Attributes = [("axis", 1L)] }),
        new("TopK", [s_matrix, Integers.Of(2)], "01") { Outputs = 2 },
        .. new[] { ("LSTM", 4), ("GRU", 3), ("RNN", 1) }.SelectMany(cell => new OperatorAxes[]
        {
            new(cell.Item1, [s_matrix, new Weights(1, cell.Item2 * 5, 6), new Weights(1, cell.Item2 * 5, 5), new Weights(1, 2 * cell.Item2 * 5)], "2")
                { Attributes = [("hidden_size", 5L)], Outputs = 2 },
            new(cell.Item1, [s_matrix, new Weights(2, cell.Item2 * 5, 6), new Weights(2, cell.Item2 * 5, 5), new Weights(2, 2 * cell.Item2 * 5), null,
                new[] { 2, 4, 5 }], "2", "2")
                { Attributes = [("hidden_size", 5L), ("direction", "bidirectional")], Outputs = 2 },
        }),
        new("Flatten", [s_image], "0123"), new("Reshape", [s_image, Integers.Of(2, 24, 6)], "0123"), new("Squeeze", [new[] { 3, 1, 6 }, Integers.Of(1)], "02"),
        new("Unsqueeze", [s_matrix, Integers.Of(0, 2)], "012"), new("Transpose", [s_image], "0123") { Attributes = [("perm", Ints(0, 2, 3, 1))] },
        new("Concat", [s_matrix, s_matrix], "012", "012") { Attributes = [("axis", 1L)] },
        new("Split", [s_matrix, Integers.Of(1, 3, 2)], "012") { Attributes = [("axis", 2L)], Outputs = 3 },
        new("Slice", [s_matrix, Integers.Of(1), Integers.Of(5), Integers.Of(2), Integers.Of(2)], "012"),
        new("Slice", [s_matrix, Integers.Of(0), Integers.Of(1), Integers.Of(2)], "012"),
        new("Gather", [s_matrix, Integers.Of(4, 1, 1)], "012") { Attributes = [("axis", 2L)] },
        new("Gather", [s_matrix, new Integers([], 2)], "012") { Attributes = [("axis", 1L)] },
        new("Gather", [s_matrix, new Integers([2, 2], 0, 1, 2, 0)], "12"),
        new("Expand", [new[] { 4, 1 }, Integers.Of(3, 4, 6)], ""), new("Expand", [new[] { 4, 6 }, Integers.Of(2, 4, 6)], "01"),
        new("Tile", [s_matrix, Integers.Of(1, 2, 1)], "012"), new("Tile", [new[] { 4, 1 }, Integers.Of(2, 6)], ""),
        new("Pad", [s_image, Integers.Of(0, 1, 0, 1, 0, 0, 0, 2)], "0123"),
        new("Pad", [s_image, Integers.Of(0, 0, 1, 1, 0, 0, 1, 1)], "01") { Attributes = [("mode", "reflect")] },
        new("DepthToSpace", [s_image], "0") { Attributes = [("blocksize", 2L)] },
        new("DepthToSpace", [new[] { 2, 8, 3, 3 }], "01") { Attributes = [("blocksize", 2L)] },
        new("DepthToSpace", [new[] { 2, 8, 3, 3 }], "01") { Attributes = [("blocksize", 2L), ("mode", "CRD")] },
        new("SpaceToDepth", [s_image], "01") { Attributes = [("blocksize", 2L)] },
        new("Resize", [s_image, null, new Numbers(1, 1, 2, 1)], "013") { Attributes = [("mode", "linear")] },
        new("Upsample", [s_image, new Numbers(1, 1, 2, 2)], "01") { Opset = 9 },
        new("Resize", [s_image, null, null, Integers.Of(2, 4, 9, 6)], "013") { Attributes = [("mode", "cubic")] },
    ];

    /// <summary>Operators that are rewritten as simpler ones.</summary>
    public static IEnumerable<OperatorAxes> Rewritten { get; } =
    [
        new("Attention", [new[] { 2, 5, 12 }, new[] { 2, 4, 12 }, new[] { 2, 4, 12 }], "012", "02", "02") { Opset = 23,
            Attributes = [("q_num_heads", 3L), ("kv_num_heads", 3L)] },
        new("Attention", [new[] { 2, 5, 12 }, new[] { 2, 5, 6 }, new[] { 2, 5, 8 }, new Weights(5, 5)], "02", "02", "02")
            { Opset = 23, Attributes = [("q_num_heads", 4L), ("kv_num_heads", 2L), ("is_causal", 1L), ("scale", 0.3f)] },
        new("Attention", [new[] { 2, 3, 5, 4 }, new[] { 2, 3, 4, 4 }, new[] { 2, 3, 4, 6 }, new Weights(2, 1, 5, 4)], "0123", "013", "013") { Opset = 24 },
        new("Attention", [new[] { 2, 3, 5, 4 }, new[] { 2, 3, 5, 4 }, new[] { 2, 3, 5, 6 }, new Weights(5, 5)], "0123", "013", "013") { Opset = 23,
            Attributes = [("softcap", 0.7f)] },
        new("Attention", [new[] { 2, 3, 5, 4 }, new[] { 2, 3, 5, 4 }, new[] { 2, 3, 5, 6 }, new Weights(5, 5)], "0123", "013", "013") { Opset = 24,
            Attributes = [("softcap", 0.7f)] },
        new("RMSNormalization", [s_matrix, new Weights(6)], "01") { Opset = 23 },
        new("RotaryEmbedding", [new[] { 2, 3, 5, 4 }, new Weights(9, 2), new Weights(9, 2), new Integers([2, 5], 0, 1, 2, 3, 4, 4, 5, 6, 7, 8)],
            "0123") { Opset = 23 },
        new("RotaryEmbedding", [new[] { 2, 5, 12 }, new Weights(2, 5, 1), new Weights(2, 5, 1)], "012")
            { Opset = 23, Attributes = [("num_heads", 3L), ("interleaved", 1L), ("rotary_embedding_dim", 2L)] },
        .. new[] { "bij,bjk->bik", "ij...,jk...->ik..." }.Select(equation =>
            new OperatorAxes("Einsum", [new[] { 3, 4, 6 }, equation[0] == 'b' ? [3, 6, 5] : new[] { 4, 5, 6 }], "012",
                "012") { Attributes = [("equation", equation)] }),
        new("Einsum", [new[] { 2, 5, 3, 4 }, new[] { 2, 6, 3, 4 }], "0123", "0123") { Attributes = [("equation", "bqhd,bkhd->bhqk")] },
        new("Einsum", [new[] { 3, 4 }, new Weights(5, 4, 6), new[] { 3, 6 }], "1", "1") { Attributes = [("equation", "bi,oij,bj->bo")] },
        new("Einsum", [s_matrix, new Weights(6, 5)], "2") { Attributes = [("equation", "bti,io")] },
        new("Einsum", [s_matrix, new Weights(4, 6, 5)], "12") { Attributes = [("equation", "bij,ijk->bk")] },
        new("Einsum", [new[] { 3, 4, 4 }], "") { Attributes = [("equation", "bii->bi")] },
        new("Einsum", [s_matrix], "012") { Attributes = [("equation", "abc->ca")] },
        new("Einsum", [new[] { 3, 4 }, new[] { 3, 5 }], "01", "01") { Attributes = [("equation", "bi,bj->bij")] },
        Fused("Attention", [new[] { 2, 5, 12 }, new Weights(12, 36), new Weights(36), new Integers([2, 5], 1, 1, 1, 1, 0, 1, 1, 1, 0, 0)], [("num_heads", 3L)],
            "2"),
        Fused("Attention", [new[] { 2, 5, 12 }, new Weights(12, 36), new Weights(36)], [("num_heads", 3L), ("unidirectional", 1L)], "2"),
        Fused("MultiHeadAttention", [new[] { 2, 5, 12 }, new[] { 2, 4, 12 }, new[] { 2, 4, 12 }, new Weights(36)], [("num_heads", 3L)], "012", "02", "02"),
        Fused("SkipLayerNormalization", [s_matrix, s_matrix, new Weights(6), new Weights(6), new Weights(6)], [("epsilon", 1e-5f)], "01", "01"),
        Fused("SkipSimplifiedLayerNormalization", [s_matrix, s_matrix, new Weights(6)], [("epsilon", 1e-5f)], "01", "01"),
        new("SimplifiedLayerNormalization", [s_matrix, new Weights(6)], "01") { Attributes = [("axis", -1L), ("epsilon", 1e-5f)] },
        Fused("Gelu", [s_matrix], [], "012"), Fused("BiasGelu", [s_matrix, new Weights(6)], [], "012"),
        Fused("FastGelu", [s_matrix, new Weights(6)], [], "012"),
        Fused("QuickGelu", [s_matrix], [("alpha", 1.5f)], "012"),
        Fused("FusedMatMul", [s_matrix, new Weights(5, 6)], [("transB", 1L), ("alpha", 0.5f)], "2"),
        Fused("FusedMatMul", [s_matrix, new[] { 3, 4, 5 }], [("transA", 1L)], "012", "012"),
        Fused("FusedGemm", [new[] { 4, 6 }, new Weights(6, 5), new Weights(5)], [("activation", "LeakyRelu"), ("activation_alpha", 0.2f)], "1"),
        Fused("FusedConv", [s_image, new Weights(5, 4, 3, 3), new Weights(5)], [("activation", "Relu"), ("pads", Ints(1, 1, 1, 1))], "1"),
        Fused("FusedConv", [s_image, new Weights(5, 4, 3, 3), new Weights(5), new[] { 2, 5, 4, 4 }],
            [("activation", "Clip"), ("activation_params", new[] { 0f, 3f })], "01", "01"),
        Fused("RotaryEmbedding", [new[] { 2, 5, 12 }, new Integers([2, 5], 0, 1, 2, 3, 4, 4, 5, 6, 7, 8), new Weights(9, 2), new Weights(9, 2)], [], "012"),
    ];

    private static OperatorAxes Fused(string name, object?[] operands, (string, object)[] attributes, params string[] live)
        => new(name, operands, live) { Domain = "com.microsoft", Attributes = attributes };

    private static long[] Ints(params long[] values) => values;
}

/// <summary>Numbers of the file.</summary>
internal sealed record Numbers(params float[] Values);
