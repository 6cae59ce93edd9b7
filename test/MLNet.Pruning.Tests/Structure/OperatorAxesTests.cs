using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Structure;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>
/// Every operator that the analysis follows behind a layer that makes one of its dimensions, each dimension of each tensor in turn, and
/// before a layer that reads all it computes: removed equals masked in ONNX Runtime, whichever dimension it is.
/// </summary>
[TestClass]
public class OperatorAxesTests
{
    /// <summary>Operators that read no tensor with values, or that only graphs of ours hold.</summary>
    private static readonly string[] s_withoutTensors = ["ConstantOfShape", "Shape", "Size", Node.Dimensions, Node.FakeQuantize, Node.FakeCodebook];

    /// <summary>Shapes are told behind them, and everything stays: what they pick or write depends on values, or is a diagonal.</summary>
    private static readonly string[] s_opaque = ["Einsum", "GatherElements", "NonZero", "Range", "ScatterElements", "ScatterND"];

    [TestMethod]
    public void Every_operator_that_is_followed_is_tried()
    {
        CollectionAssert.AreEquivalent(Coupling.Operators.Except(s_withoutTensors).ToArray(),
            OperatorAxesForms.All.Select(form => form.Operator).Distinct().ToArray());
        CollectionAssert.AreEquivalent(OperatorCatalogue.All.Select(one => one.Name).Except(s_opaque).ToArray(), Coupling.Operators.ToArray());
    }

    [TestMethod]
    public void Whichever_dimension_a_layer_makes_removed_equals_masked() => Try(OperatorAxesForms.All);

    [TestMethod]
    public void Through_operators_that_are_rewritten_removed_equals_masked_in_the_original() => Try(OperatorAxesForms.Rewritten);

    private static void Try(IEnumerable<OperatorAxes> forms)
    {
        var wrong = new List<string>();
        foreach (var form in forms)
        {
            var tensors = form.Operands.Select((operand, i) => (Shape: operand as int[], i)).Where(operand => operand.Shape is not null).ToArray();
            for (var t = 0; t < tensors.Length; t++)
            {
                var (shape, place) = (tensors[t].Shape!, tensors[t].i);
                foreach (var axis in Enumerable.Range(0, shape.Length).Where(axis => shape[axis] > 1))
                {
                    // What else it reads is made by layers too, along each of its dimensions in turn.
                    var largest = tensors.Max(tensor => tensor.Shape!.Length);
                    var found = Enumerable.Range(0, tensors.Length > 1 ? largest : 1)
                        .Sum(other => Check(wrong, $"{form}, dimension {axis} of tensor {t}, {other} of others",
                            OperatorAxesModels.Make(form, (graph, name, i) =>
                            OperatorAxesModels.Produce(graph, name, i == place ? "made" : name, (int[])form.Operands[i]!,
                                i == place ? axis : other % ((int[])form.Operands[i]!).Length))));
                    if (found > 0 != form.Live[t].Contains((char)('0' + axis)))
                    {
                        wrong.Add($"{form}, dimension {axis} of tensor {t}: {found} groups, expected dimensions: {form.Live[t]}");
                    }
                }
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    [TestMethod]
    public void Behind_a_dense_layer_viewed_as_a_picture_the_dimension_that_passes_is_found()
    {
        var wrong = new List<string>();
        foreach (var form in OperatorAxesForms.All.Where(form => form.Operands[0] is int[] { Length: >= 3 } && form.Live[0].Length > 0))
        {
            var found = Check(wrong, $"{form}, viewed", OperatorAxesModels.Make(form,
                (graph, name, i) => OperatorAxesModels.View(graph, name, i == 0 ? "made" : name, (int[])form.Operands[i]!)));
            if (found > 0 != form.Live[0].AsSpan().ContainsAnyExcept('0'))
            {
                wrong.Add($"{form}, viewed: {found} groups");
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    /// <returns>How many groups the layer of the name "made" has.</returns>
    private static int Check(List<string> wrong, string what, ModelProto model)
    {
        var path = Path.Combine(Path.GetTempPath(), $"axes-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(model, path);
            OperatorAxesModels.Consume(model, Network.FromOnnx(path));
            OnnxFile.Write(model, path);
            var network = Network.FromOnnx(path);
            if (model.Graph.Node.Any(node => node.Domain.Length > 0) && network.Nodes.Any(node => node.Domain.Length > 0))
            {
                wrong.Add($"{what}: it is not rewritten");
            }

            var groups = network.Groups().Where(group => group.Members.Any(member => member.Parameter == "made.weight")).ToArray();
            if (groups.Length > 1)
            {
                var inputs = model.Graph.Input.Select(input => new ZooInput(input.Name,
                    [.. input.Type.TensorType.Shape.Dim.Select(dim => dim.DimValue.ToString())], "float", []));
                RemovalExactnessTests.Compare(new(what, path, [.. inputs], ["result"], true), network, [.. groups.Where((_, i) => i % 3 == 0)]);
            }

            return groups.Length > 1 ? groups.Length : 0;
        }
        catch (Exception e) when (e is AssertFailedException or ArgumentException or OnnxFormatException or NotSupportedException
            or Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
        {
            wrong.Add($"{what}: {e.GetType().Name} {e.Message}");
            return 0;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
