using System.Collections.Immutable;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Attention and features of a vision transformer as PyTorch exports it, which folds the heads into the rows.</summary>
[TestClass]
public class ExportedTransformerTests
{
    private readonly Network _network = Network.FromOnnx(Zoo.Network("vit").Path);

    [TestMethod]
    public void Every_row_has_its_own_matrices_head_by_head()
    {
        using var scope = NewDisposeScope();
        var rows = Rows(3);
        foreach (var name in Softmaxes())
        {
            var term = Distillation.Attention([(name, name)]).Terms[0];
            var all = term.Target(_network, Run(_network, rows, term.TeacherReads))!;
            Assert.AreEqual(4, all.dim());
            Assert.AreEqual(3, all.shape[0]);
            Assert.IsGreaterThan(1, all.shape[1], "heads");
            Close.AreEqual([.. Enumerable.Repeat(1f, (int)(all.shape[0] * all.shape[1] * all.shape[2]))], TensorValues.Of(all.sum(-1)), 1e-5,
                "what a position looks at sums to 1");
            for (var row = 0; row < 3; row++)
            {
                var alone = term.Target(_network, Run(_network, rows.narrow(0, row, 1), term.TeacherReads))!;
                Close.AreEqual(TensorValues.Of(alone), TensorValues.Of(all.narrow(0, row, 1)), 1e-5, $"{name}, row {row}");
            }
        }
    }

    [TestMethod]
    public void A_network_differs_from_another_and_not_from_itself()
    {
        // Matrices only: exponents and the like are parameters of the file as well.
        var other = _network.WithParameters(_network.Parameters.Where(parameter => parameter.Shape.Length == 2)
            .Select(parameter => parameter.WithValues([.. parameter.Values.ToArray().Select(value => 1.2f * value)])));
        var features = _network.Nodes.Last(node => _network.Tensors[node.Outputs[0]] is { IsKnown: true, Shape: [TensorInfo.Batch, > 1, > 1] }).Name;
        var attention = Softmaxes()[^1];
        foreach (var distillation in new[]
        {
            Distillation.Attention([(attention, attention)]), Distillation.Features([(features, features)]),
            Distillation.Relations(pair: (features, features)), Distillation.Similarity((features, features)),
        })
        {
            Assert.AreEqual(0, Loss(distillation.Terms[0], _network), 1e-9, distillation.Description);
            Assert.IsGreaterThan(1e-6, Loss(distillation.Terms[0], other), distillation.Description);
        }
    }

    private double Loss(DistillationTerm term, Network student)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(4);
        using var loss = term.Bind(new(student, _network, _network.Output.RowSize, LearningTask.Multiclass, CPU, 1));
        var (told, own) = (Run(_network, rows, term.TeacherReads), Run(student, rows, loss.Reads));
        return LossFunction.Value(loss.Of(new(own.Logits, own.Tensors), told.Logits, term.Target(_network, told), 1));
    }

    private string[] Softmaxes() => [.. _network.Nodes.Where(node => node.Operator == "Softmax" && node.Outputs[0] != _network.Output.Name)
        .Select(node => node.Name)];

    private Tensor Rows(int count)
    {
        var random = new Random(3);
        return tensor(Enumerable.Range(0, count * _network.RowSize).Select(_ => random.NextSingle() * 2 - 1).ToArray()).view(count, _network.RowSize);
    }

    private static TeacherBatch Run(Network network, Tensor rows, IReadOnlyCollection<string> reads)
    {
        using var weights = new TrainedWeights(network, ImmutableDictionary<string, WeightMask>.Empty, CPU);
        using var noGrad = no_grad();
        var tensors = new FeatureTensors(network, reads, "network");
        return new(weights.Graph.Forward(rows, visit: tensors.Visit), tensors.Found);
    }
}
