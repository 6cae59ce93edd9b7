using System.Runtime.InteropServices;
using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>The interpreter computes what ONNX Runtime computes from the same file, up to the rounding of 32-bit floats.</summary>
[TestClass]
public class OnnxRuntimeTests
{
    private const double Tolerance = 1e-4;

    /// <summary>What has no counterpart in the interpreter: subgraphs, and operators of other domains.</summary>
    private static readonly string[] s_refused = ["if_subgraph", "custom_domain"];

    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void A_network_equals_ONNX_Runtime(string name)
    {
        var model = Zoo.Network(name);
        var isFixed = model.Inputs[0].Shape[0] != "N";
        Compare(model, isFixed ? 1 : ZooModel.Batch);
        if (!isFixed)
        {
            Compare(model, 1);
        }
    }

    [TestMethod]
    public void Every_operator_equals_ONNX_Runtime()
    {
        var differing = new List<string>();
        foreach (var model in Zoo.Operators.Where(model => model.Runs && !s_refused.Contains(model.Name)))
        {
            try
            {
                Compare(model, ZooModel.Batch);
                Compare(model, 1);
            }
            catch (Exception e) when (e is AssertFailedException or NotSupportedException or InvalidOperationException or ArgumentException)
            {
                differing.Add($"{model.Name}: {e.GetType().Name} {e.Message}");
            }
        }

        Assert.IsEmpty(differing, string.Join(Environment.NewLine, differing));
    }

    [TestMethod]
    public void What_cannot_be_run_is_refused_by_name_when_the_graph_is_made()
    {
        foreach (var (name, expected) in new[] { ("if_subgraph", "operator 'If'"), ("custom_domain", "operator 'example.custom.Wobble'") })
        {
            var network = Network.FromOnnx(Zoo.Operator(name).Path);
            var node = network.Nodes.Single(node => node.Operator is "If" or "Wobble");
            using var scope = NewDisposeScope();
            var error = Assert.ThrowsExactly<NotSupportedException>(() => TorchGraph.ForScoring(network));
            StringAssert.Contains(error.Message, expected);
            StringAssert.Contains(error.Message, $"'{node.Name}'");
        }
    }

    [TestMethod]
    public void A_batch_of_another_number_of_rows_than_a_fixed_one_is_refused()
    {
        var open = Network.Mlp(4, 2).Initialize(1);
        var network = new Network(open.Parts with { Inputs = [open.Input with { Shape = [1, 4] }] });
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        var error = Assert.ThrowsExactly<ArgumentException>(() => graph.Forward(zeros(3, network.RowSize)));
        StringAssert.Contains(error.Message, "1 rows at a time, but got 3");
    }

    [TestMethod]
    public void An_index_beyond_a_table_is_refused_by_node()
    {
        var network = Network.FromOnnx(Zoo.Operator("embedding").Path);
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        using Scalar beyond = 20.0;
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => graph.Forward(full([2, network.RowSize], beyond)));
        StringAssert.Contains(error.Message, "(Gather)");
    }

    /// <summary>Holds all outputs of a file against ONNX Runtime's.</summary>
    internal static void Compare(ZooModel model, int batch)
    {
        var inputs = model.Draw(seed: 5, batch);
        var expected = Reference.Run(model.Path, inputs);
        var network = Network.FromOnnx(model.Path);
        var width = inputs.Sum(input => input.Values.Length) / batch;
        var rows = new float[batch * width];
        for (var row = 0; row < batch; row++)
        {
            var start = row * width;
            foreach (var input in inputs)
            {
                var size = input.Values.Length / batch;
                input.Values.AsSpan(row * size, size).CopyTo(rows.AsSpan(start));
                start += size;
            }
        }

        foreach (var output in network.Outputs)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var graph = new TorchGraph(network, network.Parameters.ToDictionary(parameter => parameter.Name, TorchGraph.View), logits: false,
                result: output.Name);
            var result = graph.Forward(tensor(rows, [batch, width]));
            var (shape, values) = expected[output.Name];
            CollectionAssert.AreEqual(shape, Array.ConvertAll(result.shape, size => (int)size), $"{model.Name}, shape of {output.Name}");
            var actual = MemoryMarshal.Cast<byte, float>(result.to(ScalarType.Float32).contiguous().bytes);
            var largest = result.is_floating_point() ? values.Max(Math.Abs) : 1;
            Assert.IsGreaterThan(0, largest, $"{model.Name}: all of {output.Name} is zero");
            var worst = 0.0;
            for (var i = 0; i < values.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs((double)values[i] - actual[i]) is var error && double.IsNaN(error) ? double.PositiveInfinity : error);
            }

            Assert.IsLessThanOrEqualTo(Tolerance, worst / largest, $"{model.Name}, {output.Name}, {batch} rows: relative error");
        }
    }
}
