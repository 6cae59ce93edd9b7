using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

[TestClass]
public class TorchGraphTests
{
    [TestMethod]
    public void Tensors_are_given_up_once_nothing_reads_them()
    {
        var network = Network.FromOnnx(Zoo.Network("resnet18").Path);
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        using var inner = NewDisposeScope();
        using var noGrad = no_grad();
        var result = graph.Forward(zeros(2, network.RowSize));
        Assert.IsGreaterThan(40, network.Nodes.Length);
        Assert.AreEqual(3, inner.DisposablesCount, "the rows, the input, and the result");
        CollectionAssert.AreEqual(new long[] { 2, 20 }, result.shape);
    }

    [TestMethod]
    [DataRow("log_softmax")]
    [DataRow("softmax_classes")]
    public void Logits_are_what_goes_into_the_softmax_that_ends_a_network(string name)
    {
        var model = Zoo.Operator(name);
        var whole = Network.FromOnnx(model.Path);
        var node = whole.Nodes.Single(node => node.Operator is "Softmax" or "LogSoftmax");
        var ending = new Network(whole.Parts with { Outputs = [node.Outputs[0]], AsRead = false });
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var graph = TorchGraph.ForScoring(ending);
        using var before = TorchGraph.ForScoring(whole, node.Inputs[0]);
        var rows = tensor(model.Draw(seed: 1)[0].Values, [ZooModel.Batch, whole.RowSize]);
        Assert.IsTrue(graph.Forward(rows).allclose(before.Forward(rows), rtol: 0, atol: 0));
    }

    [TestMethod]
    public void A_scorer_reads_all_inputs_from_one_row()
    {
        var model = Zoo.Operator("two_inputs");
        var network = Network.FromOnnx(model.Path);
        var inputs = model.Draw(seed: 4);
        using var scorer = new TorchScorer(network, softmax: false, batch: 8);
        Assert.AreEqual(9, scorer.Width);
        for (var row = 0; row < ZooModel.Batch; row++)
        {
            inputs[0].Values.AsSpan(row * 6, 6).CopyTo(scorer.Rows.AsSpan(row * 9));
            inputs[1].Values.AsSpan(row * 3, 3).CopyTo(scorer.Rows.AsSpan(row * 9 + 6));
        }

        scorer.Run(ZooModel.Batch);
        var expected = Reference.Run(model.Path, inputs)["y"].Values;
        for (var row = 0; row < ZooModel.Batch; row++)
        {
            Close.AreEqual(expected[(row * 4)..(row * 4 + 4)], scorer.Scores(row), 1e-5, $"row {row}");
        }
    }

    [TestMethod]
    public void Rows_of_another_width_are_refused()
    {
        var network = Network.FromOnnx(Zoo.Operator("two_inputs").Path);
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        var error = Assert.ThrowsExactly<ArgumentException>(() => graph.Forward(zeros(2, 8)));
        StringAssert.Contains(error.Message, "8 values; the network reads 9: x[N x 6], w[N x 3]");
    }
}
