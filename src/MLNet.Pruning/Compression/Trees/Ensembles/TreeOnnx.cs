using Google.Protobuf;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// Writes an ensemble as an ONNX model around one TreeEnsembleRegressor. Comparisons are those of the trees, missing values included:
/// "at most" is false for them. Sets of categorical splits become columns of 1 and 0 beside the features.
/// </summary>
internal sealed class TreeOnnx
{
    public const string Features = "features";
    public const string Score = "score";
    public const string Probability = "probability";

    private const long Opset = 13;
    private const long TreesOpset = 1;
    private const long IrVersion = 7;

    private readonly GraphProto _graph = new() { Name = "trees" };

    private TreeOnnx()
    {
    }

    /// <summary>The model for everyone: rows x features to rows x 1.</summary>
    public static ModelProto Model(DecisionTreeEnsemble ensemble)
    {
        var onnx = new TreeOnnx();
        onnx._graph.Input.Add(Describe(Features, "rows", ensemble.FeatureCount));
        onnx.AddTrees(ensemble, Features, Score);
        onnx._graph.Output.Add(Describe(Score, "rows", 1));
        if (ensemble.Calibration is { } platt)
        {
            onnx.AddNode("Sigmoid", [onnx.AddLogit(Score, platt)], Probability);
            onnx._graph.Output.Add(Describe(Probability, "rows", 1));
        }

        return onnx.ToModel();
    }

    /// <summary>The model as ML.NET's ONNX transformer runs it, a row at a time, with what a head makes the score and the logit of.</summary>
    /// <param name="ensemble">The ensemble.</param>
    /// <param name="head">The linear model that makes a scalar of a vector of one.</param>
    /// <param name="input">Name of the input.</param>
    /// <param name="score">Name of the output that the head makes the score of.</param>
    /// <param name="logit">Name of the output that the head makes the logit of; null for none.</param>
    public static ModelProto ForHead(DecisionTreeEnsemble ensemble, ScalarHead head, string input, string score, string? logit)
    {
        var onnx = new TreeOnnx();
        onnx._graph.Input.Add(Describe(input, null, ensemble.FeatureCount));
        onnx.AddTrees(ensemble, input, Score);
        onnx.AddHead(Score, score, head);
        if (logit is not null)
        {
            onnx.AddHead(onnx.AddLogit(Score, ensemble.Calibration!), logit, head);
        }

        return onnx.ToModel();
    }

    private void AddTrees(DecisionTreeEnsemble ensemble, string features, string score)
    {
        List<string> columns = [features];
        foreach (var set in ensemble.Sets)
        {
            var name = $"set{columns.Count}";
            _graph.Initializer.Add(OnnxTensor.FromLongs($"{name}.features", [set.Length], [.. set.Select(feature => (long)feature)], DataType.Int64));
            AddNode("Gather", [features, $"{name}.features"], $"{name}.values", Int("axis", 1));
            AddNode("Greater", [$"{name}.values", Constant($"{name}.zero", 0)], $"{name}.flags");
            AddNode("Cast", [$"{name}.flags"], $"{name}.numbers", Int("to", (int)DataType.Float));
            AddNode("ReduceMax", [$"{name}.numbers"], name, Ints("axes", [1]), Int("keepdims", 1));
            columns.Add(name);
        }

        var rows = features;
        if (columns.Count > 1)
        {
            AddNode("Concat", [.. columns], rows = "row", Int("axis", 1));
        }

        var trees = AddNode("TreeEnsembleRegressor", [rows], score, Attributes(ensemble));
        trees.Domain = "ai.onnx.ml";
    }

    private static AttributeProto[] Attributes(DecisionTreeEnsemble ensemble)
    {
        List<long> trees = [], nodes = [], features = [], yes = [], no = [], leafTrees = [], leafNodes = [];
        List<float> thresholds = [], values = [];
        List<string> modes = [];
        for (var t = 0; t < ensemble.Trees.Length; t++)
        {
            var tree = ensemble.Trees[t];
            for (var node = 0; node < tree.Nodes + tree.LeafValues.Length; node++)
            {
                var isSplit = node < tree.Nodes;
                trees.Add(t);
                nodes.Add(node);
                modes.Add(isSplit ? "BRANCH_LEQ" : "LEAF");
                features.Add(isSplit ? tree.Features[node] : 0);
                thresholds.Add(isSplit ? tree.Thresholds[node] : 0);
                yes.Add(isSplit ? Number(tree.Left[node]) : 0);
                no.Add(isSplit ? Number(tree.Right[node]) : 0);
                if (!isSplit)
                {
                    leafTrees.Add(t);
                    leafNodes.Add(node);
                    values.Add((float)tree.LeafValues[node - tree.Nodes]);
                }
            }

            long Number(int child) => child >= 0 ? child : tree.Nodes + ~child;
        }

        return
        [
            Ints("nodes_treeids", trees), Ints("nodes_nodeids", nodes), Ints("nodes_featureids", features), Strings("nodes_modes", modes),
            Floats("nodes_values", thresholds),
            Ints("nodes_truenodeids", yes), Ints("nodes_falsenodeids", no), Ints("nodes_missing_value_tracks_true", [.. trees.Select(_ => 0L)]),
            Ints("target_treeids", leafTrees), Ints("target_nodeids", leafNodes), Ints("target_ids", [.. leafTrees.Select(_ => 0L)]),
            Floats("target_weights", values),
            Floats("base_values", [(float)ensemble.Offset]), Int("n_targets", 1), Text("aggregate_function", "SUM"), Text("post_transform", "NONE"),
        ];
    }

    private string AddLogit(string score, PlattScaling platt)
    {
        AddNode("Mul", [score, Constant("logit.slope", (float)-platt.Slope)], "logit.product");
        AddNode("Sub", ["logit.product", Constant("logit.offset", (float)platt.Offset)], "logit");
        return "logit";
    }

    private void AddHead(string value, string output, ScalarHead head)
    {
        _graph.Initializer.Add(OnnxTensor.FromLongs($"{output}.shape", [1], [1L], DataType.Int64));
        AddNode("Reshape", [value, $"{output}.shape"], $"{output}.vector");
        AddNode("Sub", [$"{output}.vector", Constant($"{output}.bias", head.Bias)], $"{output}.unbiased");
        AddNode("Div", [$"{output}.unbiased", Constant($"{output}.weight", head.Weight)], output);
        _graph.Output.Add(Describe(output, null));
    }

    private string Constant(string name, float value)
    {
        _graph.Initializer.Add(OnnxTensor.FromFloats(name, [1], [value], DataType.Float));
        return name;
    }

    private NodeProto AddNode(string @operator, string[] inputs, string output, params AttributeProto[] attributes)
    {
        var node = new NodeProto { Name = $"{@operator}.{output}", OpType = @operator, Input = { inputs }, Output = { output }, Attribute = { attributes } };
        _graph.Node.Add(node);
        return node;
    }

    private ModelProto ToModel() => new()
    {
        IrVersion = IrVersion,
        ProducerName = "MLNet.Pruning",
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset }, new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = TreesOpset } },
        Graph = _graph,
    };

    /// <summary>A float tensor: rows x size, one row of that size, or a vector of one.</summary>
    private static ValueInfoProto Describe(string name, string? rows, int? size = null)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(rows is null ? new TensorShapeProto.Types.Dimension { DimValue = 1 } : new TensorShapeProto.Types.Dimension { DimParam = rows });
        if (size is { } columns)
        {
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = columns });
        }

        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Float, Shape = shape } } };
    }

    private static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    private static AttributeProto Ints(string name, IEnumerable<long> values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    private static AttributeProto Floats(string name, IEnumerable<float> values) => new() { Name = name, Type = AttributeType.Floats, Floats = { values } };

    private static AttributeProto Text(string name, string value) => new() { Name = name, Type = AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    private static AttributeProto Strings(string name, IEnumerable<string> values)
        => new() { Name = name, Type = AttributeType.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } };
}
