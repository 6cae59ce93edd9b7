using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Scoring.Operators;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>Forms of operators that PyTorch does not export, one node a model, against ONNX Runtime.</summary>
[TestClass]
public class OperatorFormsTests
{
    private static readonly int[] s_image = [4, 7, 6];
    private static readonly int[] s_sequence = [4, 6];

    public static IEnumerable<object[]> Forms =>
    [
        Form("conv, uneven padding", "Conv", s_image, [Weights(3, 4, 3, 3), Weights(3)], ("pads", Ints(0, 1, 2, 3)), ("strides", Ints(2, 1))),
        Form("conv of one dimension, uneven padding", "Conv", s_sequence, [Weights(3, 4, 3)], ("pads", Ints(2, 0)), ("dilations", Ints(2))),
        Form("conv of three dimensions, same", "Conv", [2, 5, 4, 6], [Weights(3, 2, 2, 3, 2)], ("auto_pad", "SAME_LOWER"), ("strides", Ints(2, 1, 2)),
            ("kernel_shape", Ints(2, 3, 2))),
        Form("conv, same, kernel not given", "Conv", s_image, [Weights(3, 4, 2, 4)], ("auto_pad", "SAME_LOWER"), ("strides", Ints(2, 2))),
        Form("transposed conv, uneven padding", "ConvTranspose", s_image, [Weights(4, 3, 3, 3), Weights(3)], ("pads", Ints(0, 1, 1, 2)),
            ("strides", Ints(2, 2))),
        Form("transposed conv, given shape", "ConvTranspose", s_image, [Weights(4, 3, 3, 3)], ("output_shape", Ints(14, 12)), ("strides", Ints(2, 2)),
            ("auto_pad", "SAME_UPPER")),
        Form("transposed conv of one dimension", "ConvTranspose", s_sequence, [Weights(4, 2, 3)], ("group", 2L), ("strides", Ints(3)),
            ("output_padding", Ints(1))),
        Form("transposed conv of three dimensions", "ConvTranspose", [2, 3, 4, 3], [Weights(2, 3, 2, 2, 2)], ("pads", Ints(1, 0, 1, 1, 0, 1)),
            ("dilations", Ints(2, 1, 1))),
        Form("max pool, uneven padding", "MaxPool", s_image, [], ("kernel_shape", Ints(3, 2)), ("pads", Ints(0, 1, 2, 0)), ("strides", Ints(2, 2))),
        Form("max pool, uneven padding, ceil", "MaxPool", s_image, [], ("kernel_shape", Ints(3, 2)), ("pads", Ints(1, 0, 2, 1)), ("strides", Ints(2, 3)),
            ("ceil_mode", 1L)),
        Form("max pool of three dimensions, same", "MaxPool", [2, 5, 4, 6], [], ("kernel_shape", Ints(2, 3, 2)), ("auto_pad", "SAME_UPPER"),
            ("strides", Ints(2, 2, 2))),
        Form("average pool, uneven padding", "AveragePool", s_image, [], ("kernel_shape", Ints(3, 2)), ("pads", Ints(0, 1, 2, 0)), ("strides", Ints(2, 2))),
        Form("average pool, uneven padding counted", "AveragePool", s_image, [], ("kernel_shape", Ints(3, 2)), ("pads", Ints(0, 1, 2, 0)),
            ("count_include_pad", 1L)),
        Form("average pool of one dimension", "AveragePool", s_sequence, [], ("kernel_shape", Ints(3)), ("pads", Ints(1, 1)), ("strides", Ints(2))),
        Form("average pool of three dimensions", "AveragePool", [2, 5, 4, 6], [], ("kernel_shape", Ints(2, 3, 2)), ("pads", Ints(1, 1, 0, 1, 1, 0))),
        Form("average pool, dilated", "AveragePool", s_image, [], opset: 19, ("kernel_shape", Ints(2, 2)), ("dilations", Ints(2, 3)),
            ("pads", Ints(1, 0, 0, 1))),
        Form("norm pool", "LpPool", s_image, [], ("kernel_shape", Ints(2, 3)), ("p", 3L), ("pads", Ints(0, 1, 1, 1))),
        Form("global norm pool", "GlobalLpPool", s_image, [], ("p", 3L)),
        Form("global max pool of one dimension", "GlobalMaxPool", s_sequence, []),
        Form("global average pool of three dimensions", "GlobalAveragePool", [2, 5, 4, 6], []),
        Resize("nearest, rounded up at half", [1, 1, 2, 1.5f], ("mode", "nearest"), ("nearest_mode", "round_prefer_ceil")),
        Resize("nearest, default, down", [1, 1, 0.6f, 0.4f], ("mode", "nearest")),
        Resize("nearest, asymmetric, ceil", [1, 1, 1.3f, 2], ("mode", "nearest"), ("nearest_mode", "ceil"), ("coordinate_transformation_mode", "asymmetric")),
        Resize("nearest, corners, floor", [1, 1, 2, 3], ("mode", "nearest"), ("nearest_mode", "floor"), ("coordinate_transformation_mode", "align_corners")),
        Resize("linear, asymmetric", [1, 1, 1.7f, 2], ("mode", "linear"), ("coordinate_transformation_mode", "asymmetric")),
        Resize("linear, down", [1, 1, 0.5f, 0.7f], ("mode", "linear")),
        Resize("linear, PyTorch's half pixel", [1, 1, 0.15f, 2], ("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")),
        Resize("cubic", [1, 1, 2, 1.5f], ("mode", "cubic")),
        Resize("cubic, another coefficient, corners", [1, 1, 2, 0.5f], ("mode", "cubic"), ("cubic_coeff_a", -0.5f),
            ("coordinate_transformation_mode", "align_corners")),
        Form("slice backwards", "Slice", s_sequence, [Indices(-1, 3), Indices(-99, 0), Indices(2, 1), Indices(-2, -1)]),
        Form("slice backwards, nothing beyond the start", "Slice", s_sequence, [Indices(99), Indices(1), Indices(-1), Indices(-3)]),
        Form("gather by a table, from the end", "Gather", s_sequence, [Table([2, 2], 0, -1, 3, -4)], ("axis", 1L)),
        Form("gather from the end", "Gather", s_sequence, [Indices(-1, 2)], ("axis", -1L)),
        Form("scatter", "ScatterND", s_sequence, [Table([2, 2], 0, 1, 0, 3), Weights(2, 6)]),
        Form("scatter of elements", "ScatterElements", s_sequence, [Table([ZooModel.Batch, 1, 2], 0, -1, 3, 2, 1, -4), Weights(ZooModel.Batch, 1, 2)],
            opset: 18, ("axis", 1L)),
        Form("gather of elements", "GatherElements", s_sequence, [Table([ZooModel.Batch, 2, 2], 0, -1, 3, 5, 1, -6, 0, 0, 2, 2, 4, -2)], ("axis", -1L)),
        Form("one at the largest", "Hardmax", s_sequence, [], ("axis", 1L)),
        Form("one at the largest of version 11", "Hardmax", s_sequence, [], opset: 11),
        Form("lower triangle", "Trilu", s_sequence, [Table([], -1)], ("upper", 0L)),
        Form("upper triangle", "Trilu", s_sequence, [Table([], 1)]),
        Form("remainder", "Mod", s_sequence, [Weights(6)], ("fmod", 1L)),
        Form("mean of three", "Mean", s_sequence, [Weights(6), Weights(4, 1)]),
        Form("sum of three", "Sum", s_sequence, [Weights(6), Weights(4, 1)]),
        Form("least of three", "Min", s_sequence, [Weights(6), Weights(4, 1)]),
        Form("greatest of three", "Max", s_sequence, [Weights(6), Weights(4, 1)]),
        Form("clip by tensors of one side", "Clip", s_sequence, [null, Weights()]),
        Form("norm of one", "LpNormalization", s_sequence, [], ("axis", 1L), ("p", 1L)),
        Form("thresholded relu", "ThresholdedRelu", s_sequence, [], ("alpha", 0.4f)),
        Form("shrink", "Shrink", s_sequence, [], ("lambd", 0.3f), ("bias", 0.1f)), Form("shrink by nothing", "Shrink", s_sequence, []),
        Form("hard sigmoid", "HardSigmoid", s_sequence, [], ("alpha", 0.3f), ("beta", 0.4f)),
        Form("round", "Round", s_sequence, []),
        .. new[] { "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Asin", "Acos", "Atanh",
            "Acosh" }.Select(name => Form(name.ToLowerInvariant(), name, s_sequence, [])),
        Form("bits turned", "BitwiseNot", s_sequence, [], opset: 18), Form("bits of both", "BitwiseAnd", s_sequence, [Indices(-3, 9, 5, 6, 1, 12)], opset: 18),
        Form("bits of either", "BitwiseOr", s_sequence, [Indices(-3, 9, 5, 6, 1, 12)], opset: 18),
        Form("bits of one", "BitwiseXor", s_sequence, [Indices(-3, 9, 5, 6, 1, 12)], opset: 18),
        Form("infinite", "IsInf", s_sequence, []), Form("infinite below", "IsInf", s_sequence, [], ("detect_positive", 0L)),
        Form("infinite above", "IsInf", s_sequence, [], ("detect_negative", 0L)),
        Form("cumulative sum, reverse, exclusive", "CumSum", s_sequence, [Table([], 2)], ("reverse", 1L), ("exclusive", 1L)),
        Form("cumulative product", "CumProd", s_sequence, [Table([], -1)], opset: 26),
        Form("cumulative product, reverse, exclusive", "CumProd", s_sequence, [Table([], 2)], opset: 26, ("reverse", 1L), ("exclusive", 1L)),
        Form("steps written to a cache", "TensorScatter", s_sequence, [Weights(ZooModel.Batch, 2, 6), Table([ZooModel.Batch], 1, 0, 2)], opset: 24),
        Form("steps written to a cache that goes round", "TensorScatter", s_image, [Weights(ZooModel.Batch, 3, 7, 6), Table([ZooModel.Batch], 3, 0, 2)],
            opset: 24, ("mode", "circular"), ("axis", 1L)),
        Form("steps written to the start of a cache", "TensorScatter", s_sequence, [Weights(ZooModel.Batch, 2, 6)], opset: 24),
        Form("smallest of all", "TopK", s_sequence, [Indices(3)], ("largest", 0L), ("axis", 1L)),
        Form("last smallest", "ArgMin", s_sequence, [], ("axis", 2L), ("select_last_index", 1L), ("keepdims", 0L)),
        Form("product", "ReduceProd", s_sequence, [], ("axes", Ints(-1, 1)), ("keepdims", 0L)),
        Form("sum of absolute values", "ReduceL1", s_sequence, [], ("axes", Ints(1)), ("keepdims", 0L)),
        Form("norm of two dimensions", "ReduceL2", s_sequence, [], ("axes", Ints(1, 2))),
        Form("sum of squares", "ReduceSumSquare", s_sequence, [], ("axes", Ints(-2))),
        Form("log of a sum of exponentials", "ReduceLogSumExp", s_sequence, [], ("axes", Ints(1, 2))),
        Form("mean of nothing", "ReduceMean", s_sequence, [], opset: 18, ("noop_with_empty_axes", 1L)),
        Form("mean of all", "ReduceMean", s_sequence, [], ("keepdims", 0L)),
        Form("softmax of version 11", "Softmax", s_sequence, [], opset: 11, ("axis", 1L)),
        Form("log softmax of version 11", "LogSoftmax", s_sequence, [], opset: 11),
        Form("edge", "Pad", s_sequence, [Indices(0, 2, 1, 0, 1, 3)], ("mode", "edge")),
        Form("reflection", "Pad", s_sequence, [Indices(0, 2, 1, 0, 1, 3)], ("mode", "reflect")),
        Form("wrapped", "Pad", s_sequence, [Indices(0, 2, 1, 0, 1, 3)], opset: 19, ("mode", "wrap")),
        Form("padding that cuts", "Pad", s_sequence, [Indices(0, -1, 2, 0, 1, -2), Weights()]),
        Form("flatten from dimension 2", "Flatten", s_image, [], ("axis", 2L)),
        Form("flatten from the end", "Flatten", s_image, [], ("axis", -1L)),
        Form("flatten all", "Flatten", s_image, [], ("axis", 0L)),
        Form("columns to space", "DepthToSpace", s_image, [], ("blocksize", 2L), ("mode", "CRD")),
        Form("transpose reversed", "Transpose", s_sequence, []),
        Form("squeeze all of one", "Squeeze", [1, 4, 1, 6], []),
        Form("local response, wider than the channels", "LRN", s_image, [], ("size", 7L), ("alpha", 0.5f)),
        Form("group norm of version 18", "GroupNormalization", s_image, [Weights(2), Weights(2)], opset: 18, ("num_groups", 2L)),
        Form("layer norm without shift", "LayerNormalization", s_image, [Weights(7, 6)], ("axis", 2L)),
        Form("layer norm of channels", "LayerNormalization", s_image, [Weights(4, 7, 6), Weights(4, 7, 6)], ("axis", -3L)),
        Form("recurrence backwards", "RNN", [6, 5], [Weights(1, 3, 5), Weights(1, 3, 3), Weights(1, 6)], ("direction", "reverse"), ("hidden_size", 3L)),
        Form("diagonal", "Einsum", [4, 4], [], ("equation", "bii->bi")),
        Form("product with a diagonal", "Einsum", s_sequence, [Weights(6, 6)], ("equation", "...i,ii->...i")),
        Form("trace", "Einsum", [3, 5, 5], [Weights(3, 2)], ("equation", "bcii,co")),
        Form("product with a vector", "MatMul", s_sequence, [Weights(6)]),
    ];

    [TestMethod]
    [DynamicData(nameof(Forms))]
    public void A_form_equals_ONNX_Runtime(string name, string @operator, int opset, int[] row, object[] operands, (string Name, object Value)[] attributes)
    {
        var path = Path.Combine(Path.GetTempPath(), $"form-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(Model(@operator, opset, row, operands, attributes), path);
            OnnxRuntimeTests.Compare(new(name, path, [new("x", ["N", .. row.Select(size => size.ToString())], "float", [])], ["y"], true), ZooModel.Batch);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Operators_without_a_step_are_refused_by_name()
    {
        var without = OnnxOperators.All.Except(TorchOperators.Operators).ToArray();
        CollectionAssert.AreEquivalent(new[] { "NonZero" }, OperatorCatalogue.All.Select(one => one.Name).Intersect(without).ToArray(),
            "of those that are read, not rewritten");
        var network = Network.Mlp(4, 2).Initialize(1);
        foreach (var name in without)
        {
            var context = new OperatorContext(new Node("it", name, ["x"], ["y"], []), network, TorchSharp.torch.CPU, _ => 0);
            StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => TorchOperators.Compile(context)).Message,
                $"Node 'it' has the operator '{name}'");
        }
    }

    private static ModelProto Model(string @operator, int opset, int[] row, object[] operands, (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { Name = "node", OpType = @operator, Input = { "x" }, Output = { "y" } };
        var graph = new GraphProto { Name = "form", Input = { Value("x", row) }, Output = { Value("y", null) }, Node = { node } };
        var isBitwise = @operator.StartsWith("Bitwise", StringComparison.Ordinal);
        // What it is defined for, from any number.
        string[] before = @operator switch { "Asin" or "Acos" or "Atanh" => ["Softsign"], "Acosh" => ["Cosh"], "IsInf" => ["Round", "Reciprocal"],
            _ when isBitwise => ["Sinh", "Sinh"], _ => [] };
        foreach (var (i, name) in before.Index())
        {
            graph.Node.Insert(i, new NodeProto { Name = $"before{i}", OpType = name, Input = { node.Input[0] }, Output = { $"x{i}" } });
            node.Input[0] = $"x{i}";
        }

        if (isBitwise)
        {
            graph.Node.Insert(before.Length, Cast(node.Input[0], "integers", DataType.Int64));
            node.Input[0] = "integers";
        }

        if (isBitwise || @operator == "IsInf")
        {
            node.Output[0] = "result";
            graph.Node.Add(Cast("result", "y", DataType.Float));
        }

        if (@operator is "ArgMin" or "ArgMax")
        {
            graph.Output[0].Type.TensorType.ElemType = (int)DataType.Int64;
        }

        if (@operator == "TopK")
        {
            node.Output.Add("indices");
        }

        var random = new Random(11);
        for (var i = 0; i < operands.Length; i++)
        {
            switch (operands[i])
            {
                case int[] shape:
                    long[] dims = [.. shape.Select(size => (long)size)];
                    var drawn = Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size)).Select(_ => random.NextSingle() * 2 - 1).ToArray();
                    graph.Initializer.Add(OnnxTensor.FromFloats($"w{i}", dims, drawn));
                    break;
                case (int[] shape, long[] integers):
                    graph.Initializer.Add(OnnxTensor.FromLongs($"w{i}", [.. shape.Select(size => (long)size)], integers));
                    break;
                case float[] numbers:
                    graph.Initializer.Add(OnnxTensor.FromFloats($"w{i}", [numbers.Length], numbers));
                    break;
            }

            node.Input.Add(operands[i] is null ? "" : $"w{i}");
        }

        node.Attribute.AddRange(attributes.Select(attribute => OnnxAttributes.ToProto(attribute.Name, attribute.Value)));
        return new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = opset } }, Graph = graph };
    }

    private static NodeProto Cast(string from, string to, DataType type)
        => new() { Name = $"to {to}", OpType = "Cast", Input = { from }, Output = { to }, Attribute = { OnnxAttributes.ToProto("to", (long)type) } };

    private static ValueInfoProto Value(string name, int[]? row)
    {
        var value = new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } };
        if (row is not null)
        {
            value.Type.TensorType.Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
            value.Type.TensorType.Shape.Dim.AddRange(row.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        }

        return value;
    }

    private static object[] Form(string name, string @operator, int[] row, object?[] operands, params (string, object)[] attributes)
        => Form(name, @operator, row, operands, 17, attributes);

    private static object[] Form(string name, string @operator, int[] row, object?[] operands, int opset, params (string, object)[] attributes)
        => [name, @operator, opset, row, operands, attributes];

    private static object[] Resize(string name, float[] scales, params (string, object)[] attributes)
        => Form($"resize {name}", "Resize", s_image, [null, scales], 13, attributes);

    private static long[] Ints(params long[] values) => values;

    private static int[] Weights(params int[] shape) => shape;

    private static (int[] Shape, long[] Values) Indices(params long[] values) => ([values.Length], values);

    private static (int[] Shape, long[] Values) Table(int[] shape, params long[] values) => (shape, values);
}
