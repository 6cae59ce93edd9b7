using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>The loss of one class in a softmax against the cross-entropy of all of them, computed here.</summary>
[TestClass]
public class TreeLossTests
{
    private const int Classes = 4;
    private const int Count = 50;

    private readonly Random _random = new(8);

    [TestMethod]
    public void A_class_in_a_softmax_has_the_derivatives_of_the_cross_entropy()
    {
        var ensemble = RandomTrees.Ensemble(_random, task: LearningTask.Binary) with { Calibration = new(-1, 0) };
        float[] labels = [.. Enumerable.Range(0, Count).Select(_ => _random.Next(Classes))];
        var rows = new TreeRows(new float[Count * ensemble.Width], ensemble.Width, labels, [.. Enumerable.Range(0, Count).Select(i => 1 + (i % 3f))]);
        double[][] scores = [.. Enumerable.Range(0, Classes).Select(_ => Enumerable.Range(0, Count).Select(_ => (_random.NextDouble() * 8) - 4).ToArray())];
        var loss = new TreeLoss(ensemble);
        for (var index = 0; index < Classes; index++)
        {
            var own = rows.OfClass(index, scores);
            for (var row = 0; row < Count; row++)
            {
                double CrossEntropy(double shift)
                {
                    double[] logits = [.. scores.Select((values, other) => values[row] + (other == index ? shift : 0))];
                    return own.WeightOf(row) * (Math.Log(logits.Sum(Math.Exp)) - logits[(int)labels[row]]);
                }

                const double step = 1e-4;
                var (first, second) = loss.Derivatives(scores[index][row], own, row);
                Assert.AreEqual((CrossEntropy(step) - CrossEntropy(-step)) / (2 * step), first, 1e-6);
                Assert.AreEqual((CrossEntropy(step) - (2 * CrossEntropy(0)) + CrossEntropy(-step)) / (step * step), second, 1e-5);
                Assert.AreEqual(CrossEntropy(0.5) - CrossEntropy(-0.5),
                    own.WeightOf(row) * (loss.Value(scores[index][row] + 0.5, own, row) - loss.Value(scores[index][row] - 0.5, own, row)), 1e-9);
            }
        }
    }
}
