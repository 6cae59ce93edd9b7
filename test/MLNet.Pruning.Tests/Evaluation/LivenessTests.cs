using Google.Protobuf;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Structure;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Evaluation;

/// <summary>
/// Every operator between layers some of whose weights are zero: counted as live are the weights of the layers before it whose change changes an output in ONNX
/// Runtime, the biases of which that is true behind a weight, and the weights behind it of what is not the same for all that the network reads.
/// </summary>
[TestClass]
public class LivenessTests
{
    private const int Samples = 5;

    /// <summary>Whose values change in steps, or not at all for values above zero, so that no change of a weight shows what depends on it.</summary>
    private static readonly string[] s_steps =
    [
        "Not", "And", "Or", "Xor", "BitwiseNot", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "Less", "Greater", "LessOrEqual",
        "GreaterOrEqual", "IsNaN", "ArgMax", "ArgMin", "Hardmax", "TopK",
        "Sign", "Ceil", "Floor", "Round", "ThresholdedRelu", "PRelu", "IsInf",
    ];

    /// <summary>
    /// Where more counts than matters, as for a Gemm of two tensors: operators whose indices are not followed, and those that leave out values by more than
    /// their index, such as the greater of two, or what is outside a triangle.
    /// </summary>
    private static readonly string[] s_more = ["LSTM", "GRU", "RNN", "TensorScatter", "DepthToSpace", "SpaceToDepth", "Min", "Where", "Trilu", "CumProd"];

    [TestMethod]
    public void Weights_are_live_whose_change_reaches_an_output_whatever_the_operator()
    {
        var (wrong, exact) = (new List<string>(), 0);
        // Behind DynamicQuantizeLinear a constant changes with the range of the batch, by what rounding does: that is no path.
        foreach (var form in OperatorAxesForms.All.Concat(OperatorAxesForms.Rewritten).Where(form => form.Operator != "DynamicQuantizeLinear"))
        {
            for (var axis = 0; axis < 4; axis++)
            {
                if (Array.Exists(form.Operands, operand => operand is int[] shape && shape.Length > axis))
                {
                    foreach (var (parameter, counted, found) in Compare(form, axis))
                    {
                        // A dimension that removal cannot take anything from is one that is worked over.
                        var follows = OperatorAxesForms.All.Contains(form) && form.Live.All(live => live.Contains((char)('0' + axis)))
                            && !s_steps.Contains(form.Operator) && !s_more.Contains(form.Operator)
                            && form is not { Operator: "Gemm", Operands: [_, int[], ..] };
                        exact += follows ? 1 : 0;
                        if (counted < found || (counted > found && follows))
                        {
                            wrong.Add($"{form}, dimension {axis}, {parameter}: {counted} counted, {found} found");
                        }
                    }
                }
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
        Assert.IsGreaterThan(300, exact);
    }

    private static IEnumerable<(string Parameter, long Counted, long Found)> Compare(OperatorAxes form, int axis)
    {
        var model = OperatorAxesModels.Make(form, (graph, name, i) =>
            OperatorAxesModels.Produce(graph, name, name, (int[])form.Operands[i]!, axis % ((int[])form.Operands[i]!).Length));
        var path = Path.Combine(Path.GetTempPath(), $"live-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(model, path);
            var outputs = Network.FromOnnx(path).Outputs;
            OperatorAxesModels.Consume(model, Network.FromOnnx(path));
            foreach (var tensor in model.Graph.Initializer.Where(tensor => tensor.DataType == 1))
            {
                Mask(tensor, outputs);
            }

            OnnxFile.Write(model, path);
            var network = Network.FromOnnx(path);
            var liveness = new Liveness(network);
            var found = Found(model);
            return [.. network.Parameters.Where(parameter => found.ContainsKey(parameter.Name)).Select(parameter =>
                (parameter.Name, liveness.Live(network.Layers.First(layer => layer.Parameters.Contains(parameter.Name)).Node, parameter.Name),
                    found[parameter.Name]))];
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Zeros some units of the layers before, some with their biases, and behind, what is read of some indices of each dimension.</summary>
    private static void Mask(TensorProto tensor, IEnumerable<TensorInfo> outputs)
    {
        var values = OnnxTensor.ToFloats(tensor, null);
        var units = (int)tensor.Dims.LastOrDefault();
        if (outputs.FirstOrDefault(output => tensor.Name == output.Name + ".weight") is { } read)
        {
            for (var i = 0; i < values.Length; i++)
            {
                for (var (d, rest) = (read.Shape.Length - 1, i / units); d >= 0; rest /= read.Shape[d--])
                {
                    values[i] = read.Shape[d] > 2 && (rest % read.Shape[d] + d) % 3 == 1 ? 0 : values[i];
                }
            }
        }
        else if (tensor.Name.EndsWith(".weight", StringComparison.Ordinal) || tensor.Name.EndsWith(".bias", StringComparison.Ordinal))
        {
            var every = tensor.Dims.Count == 2 ? 3 : 6;
            values = [.. values.Select((value, i) => i % units % every == 0 && units > 1 ? 0 : value)];
        }

        var masked = OnnxTensor.FromFloats(tensor.Name, [.. tensor.Dims], values);
        tensor.RawData = masked.RawData;
        tensor.FloatData.Clear();
        tensor.FloatData.AddRange(masked.FloatData);
    }

    /// <summary>By layer the number of values that ONNX Runtime finds to matter.</summary>
    private static Dictionary<string, long> Found(ModelProto original)
    {
        var model = original.Clone();
        var graph = model.Graph;
        TensorProto[] changed = [.. graph.Initializer.Where(tensor =>
            tensor.Name.StartsWith("operand", StringComparison.Ordinal) && tensor.Name.Contains('.') && tensor.DataType == 1
            && (tensor.Name.EndsWith(".weight", StringComparison.Ordinal) || tensor.Name.EndsWith(".bias", StringComparison.Ordinal)))];
        foreach (var tensor in changed)
        {
            graph.Initializer.Remove(tensor);
            var input = new ValueInfoProto { Name = tensor.Name, Type = new() { TensorType = new() { ElemType = 1, Shape = new() } } };
            input.Type.TensorType.Shape.Dim.AddRange(tensor.Dims.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
            graph.Input.Add(input);
        }

        string[] rows = [.. graph.Node.SelectMany(node => node.Output).Where(name => name.EndsWith(".row", StringComparison.Ordinal))];
        graph.Output.AddRange(rows.Select(name => new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = 1 } } }));
        // Threads of the session's own would wait for work in a loop.
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(model.ToByteArray(), options);
        var values = changed.ToDictionary(tensor => tensor.Name, tensor => OnnxTensor.ToFloats(tensor, null));
        IEnumerable<Dictionary<string, float[]>> Run()
        {
            var random = new Random(1);
            return Enumerable.Range(0, Samples).Select(_ =>
            {
                using var results = session.Run([.. graph.Input.Select(input =>
                {
                    int[] shape = [.. input.Type.TensorType.Shape.Dim.Select(dim => (int)dim.DimValue)];
                    var fed = values.GetValueOrDefault(input.Name) ?? [.. Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size))
                        .Select(_ => (4 * random.NextSingle()) - 2)];
                    return NamedOnnxValue.CreateFromTensor(input.Name, new DenseTensor<float>(fed, shape));
                })]);
                return results.ToDictionary(result => result.Name, result => result.AsEnumerable<float>().ToArray());
            });
        }

        var before = Run().ToArray();
        var found = new Dictionary<string, long>();
        foreach (var row in rows)
        {
            var weight = graph.Initializer.First(tensor => tensor.Name == row[..^4] + ".weight");
            var read = OnnxTensor.ToFloats(weight, null);
            found[weight.Name] = read.Select((value, i) => (value, i)).LongCount(entry => entry.value != 0
                && before.Select(sample => sample[row][entry.i / (int)weight.Dims[1]]).Distinct().Count() > 1);
        }

        foreach (var (name, own) in values)
        {
            found[name] = own.Index().LongCount(entry =>
            {
                var (i, value) = entry;
                var isBehindBias = name.EndsWith(".bias", StringComparison.Ordinal)
                    && !values[name[..^5] + ".weight"].Where((_, j) => j % own.Length == i).Any(weight => weight != 0);
                if (value == 0 || isBehindBias)
                {
                    return false;
                }

                // Up to the first sample that shows it.
                own[i] = value + 3;
                var isLive = Run().Zip(before).Any(pair => !pair.First["result"].SequenceEqual(pair.Second["result"]));
                own[i] = value;
                return isLive;
            });
        }

        return found;
    }
}
