using Google.Protobuf;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// Writes trees as an ONNX model around one TreeEnsembleRegressor, of which each ensemble is a target. Comparisons are those of the trees, missing values
/// included: "at most" is false for them but where a split reads a low. Sets of categorical splits become columns of 1 and 0 beside the features.
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

    /// <summary>The model for everyone: rows x features to rows x 1, or to rows x classes.</summary>
    public static ModelProto Model(TreeModel model)
    {
        var onnx = new TreeOnnx();
        onnx._graph.Input.Add(Describe(Features, "rows", model.FeatureCount));
        onnx.AddScores(model, Features, Score);
        onnx._graph.Output.Add(Describe(Score, "rows", model.Outputs));
        if (model.HasProbability)
        {
            onnx.AddNode("Sigmoid", [onnx.AddLogits(model, Score)], Probability);
            onnx._graph.Output.Add(Describe(Probability, "rows", 1));
        }

        return onnx.ToModel();
    }

    /// <summary>The model as ML.NET's ONNX transformer runs it, a row at a time, with what a head makes the score and the logit of.</summary>
    /// <param name="model">One ensemble.</param>
    /// <param name="head">The linear model that makes a scalar of a vector of one.</param>
    /// <param name="input">Name of the input.</param>
    /// <param name="score">Name of the output that the head makes the score of.</param>
    /// <param name="logit">Name of the output that the head makes the logit of; null for none.</param>
    public static ModelProto ForHead(TreeModel model, ScalarHead head, string input, string score, string? logit)
    {
        var onnx = new TreeOnnx();
        onnx._graph.Input.Add(Describe(input, null, 1, model.FeatureCount));
        onnx.AddScores(model, input, Score);
        onnx.AddHead(Score, score, head);
        if (logit is not null)
        {
            onnx.AddHead(onnx.AddLogits(model, Score), logit, head);
        }

        return onnx.ToModel();
    }

    /// <summary>The model of several classes as ML.NET's ONNX transformer runs it, a row at a time.</summary>
    /// <param name="model">An ensemble a class.</param>
    /// <param name="input">Name of the input.</param>
    /// <param name="scores">Name of the output of the scores, a vector.</param>
    /// <param name="code">Name of the output of the class with the first largest score, counted from 1.</param>
    public static ModelProto ForClasses(TreeModel model, string input, string scores, string code)
    {
        var onnx = new TreeOnnx();
        onnx._graph.Input.Add(Describe(input, null, 1, model.FeatureCount));
        onnx.AddScores(model, input, Score);
        onnx.AddVector(Score, scores, model.Outputs);
        onnx.AddNode("ArgMax", [scores], "class", Int("axis", 0), Int("keepdims", 1));
        onnx.AddNode("Cast", ["class"], "number", Int("to", (int)DataType.Float));
        onnx.AddNode("Add", ["number", onnx.Constant("first", 1)], code);
        onnx._graph.Output.Add(Describe(code, null, 1));
        return onnx.ToModel();
    }

    private void AddScores(TreeModel model, string features, string scores)
    {
        if (model.Classes is null or ClassScores.Raw)
        {
            AddTrees(model, features, scores);
            return;
        }

        AddTrees(model, features, "sums");
        if (model.Classes == ClassScores.Softmax)
        {
            AddNode("Softmax", ["sums"], scores, Int("axis", 1));
            return;
        }

        AddNode("Sigmoid", [AddLogits(model, "sums")], "probabilities");
        _graph.Initializer.Add(OnnxTensor.FromLongs("classes", [1], [1L], DataType.Int64));
        AddNode("ReduceSum", ["probabilities", "classes"], "total", Int("keepdims", 1));
        // Where all of them are 0 they stay so.
        AddNode("Max", ["total", Constant("least", 1e-37f)], "divisor");
        AddNode("Div", ["probabilities", "divisor"], scores);
    }

    private void AddTrees(TreeModel model, string features, string sums)
    {
        List<string> columns = [features];
        foreach (var set in model.Ensembles[0].Sets)
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

        var trees = AddNode("TreeEnsembleRegressor", [rows], sums, Attributes(model));
        trees.Domain = "ai.onnx.ml";
    }

    private static AttributeProto[] Attributes(TreeModel model)
    {
        List<long> trees = [], nodes = [], features = [], yes = [], no = [], missing = [], leafTrees = [], leafNodes = [], targets = [];
        List<float> thresholds = [], values = [];
        List<string> modes = [];
        foreach (var (tree, target) in model.Ensembles.SelectMany((ensemble, i) => ensemble.Trees.Select(tree => (tree, i))))
        {
            var t = trees.Count == 0 ? 0 : trees[^1] + 1;
            for (var node = 0; node < tree.Nodes + tree.LeafValues.Length; node++)
            {
                var isSplit = node < tree.Nodes;
                var low = isSplit ? model.Ensembles[0].LowOf(tree.Features[node]) : null;
                trees.Add(t);
                nodes.Add(node);
                modes.Add(isSplit ? "BRANCH_LEQ" : "LEAF");
                features.Add(isSplit ? low ?? tree.Features[node] : 0);
                missing.Add(low is null ? 0 : 1);
                thresholds.Add(isSplit ? tree.Thresholds[node] : 0);
                yes.Add(isSplit ? Number(tree.Left[node]) : 0);
                no.Add(isSplit ? Number(tree.Right[node]) : 0);
                if (!isSplit)
                {
                    leafTrees.Add(t);
                    leafNodes.Add(node);
                    targets.Add(target);
                    values.Add((float)tree.LeafValues[node - tree.Nodes]);
                }
            }

            long Number(int child) => child >= 0 ? child : tree.Nodes + ~child;
        }

        return
        [
            Ints("nodes_treeids", trees), Ints("nodes_nodeids", nodes), Ints("nodes_featureids", features), Strings("nodes_modes", modes),
            Floats("nodes_values", thresholds),
            Ints("nodes_truenodeids", yes), Ints("nodes_falsenodeids", no), Ints("nodes_missing_value_tracks_true", missing),
            Ints("target_treeids", leafTrees), Ints("target_nodeids", leafNodes), Ints("target_ids", targets),
            Floats("target_weights", values),
            Floats("base_values", model.Ensembles.Select(ensemble => (float)ensemble.Offset)), Int("n_targets", model.Outputs),
            Text("aggregate_function", "SUM"), Text("post_transform", "NONE"),
        ];
    }

    private string AddLogits(TreeModel model, string sums)
    {
        PlattScaling[] platts = [.. model.Ensembles.Select(ensemble => ensemble.Calibration!)];
        AddNode("Mul", [sums, Constant("logit.slope", [.. platts.Select(platt => (float)-platt.Slope)])], "logit.product");
        AddNode("Sub", ["logit.product", Constant("logit.offset", [.. platts.Select(platt => (float)platt.Offset)])], "logit");
        return "logit";
    }

    private void AddHead(string value, string output, ScalarHead head)
    {
        AddReshape(value, $"{output}.vector", 1);
        AddNode("Sub", [$"{output}.vector", Constant($"{output}.bias", head.Bias)], $"{output}.unbiased");
        AddNode("Div", [$"{output}.unbiased", Constant($"{output}.weight", head.Weight)], output);
        _graph.Output.Add(Describe(output, null, 1));
    }

    private void AddVector(string value, string output, int size)
    {
        AddReshape(value, output, size);
        _graph.Output.Add(Describe(output, null, size));
    }

    private void AddReshape(string value, string output, int size)
    {
        _graph.Initializer.Add(OnnxTensor.FromLongs($"{output}.shape", [1], [size], DataType.Int64));
        AddNode("Reshape", [value, $"{output}.shape"], output);
    }

    private string Constant(string name, params float[] values)
    {
        _graph.Initializer.Add(OnnxTensor.FromFloats(name, [values.Length], values, DataType.Float));
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

    /// <summary>A float tensor of those sizes, rows of it where they have a name.</summary>
    private static ValueInfoProto Describe(string name, string? rows, params ReadOnlySpan<int> sizes)
    {
        var shape = new TensorShapeProto();
        if (rows is not null)
        {
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = rows });
        }

        foreach (var size in sizes)
        {
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
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
