using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Pruning without training, in several ways of which the best is handed on.</summary>
[TestClass]
public class PruneOneShotTests
{
    [TestMethod]
    public void The_best_on_the_validation_rows_is_handed_on_and_all_are_told()
    {
        var progress = new List<OneShotProgress>();
        var (model, before) = Fit(new OneShotOptions { Amount = Amount.Fraction(0.85), Rows = 500, Progress = new Now(progress.Add) });
        var report = model.GetReport<PruningReport>();
        var told = progress.Select(one => one.Candidate).ToArray();
        CollectionAssert.AreEqual(told, report.Candidates.ToArray());
        foreach (var (earlier, later) in progress.Zip(progress.Skip(1)))
        {
            Assert.IsTrue(earlier.Share < later.Share && earlier.Elapsed <= later.Elapsed);
        }

        Assert.AreEqual((1, TimeSpan.Zero), (Math.Round(progress[^1].Share, 9), TimeSpan.FromMilliseconds((long)progress[^1].TimeLeft.TotalMilliseconds)));
        Assert.AreEqual(told.Max(candidate => candidate.Validation!.Metric), report.Steps[^1].Validation!.Metric);
        Assert.AreEqual("L1", told[0].Importance);
        Assert.IsLessThan(report.Steps[^1].Validation!.Metric - 0.1, told[0].Validation!.Metric, "by size alone much is lost");
        var weights = model.Network.Parameters.Where(parameter => parameter.Shape.Length == 2).ToArray();
        Assert.AreEqual(0.85 * weights.Sum(weight => weight.Count), weights.Sum(weight => weight.Values.Count(0f)), 1);
        Assert.AreEqual(before.Network.Initialize(0).ParameterCount, model.Network.ParameterCount);
        StringAssert.Contains(report.ToString(), $"tried {told[3]}");
    }

    [TestMethod]
    public void Structures_are_removed_and_a_file_keeps_what_was_tried()
    {
        var (model, before) = Fit(new OneShotOptions { Amount = Amount.Fraction(0.4), Granularity = Granularity.Neuron, Rows = 300 });
        Assert.IsLessThan(before.Network.ParameterCount, model.Network.ParameterCount);
        var report = model.GetReport<PruningReport>();
        Assert.IsTrue(report.Candidates.Any(candidate => candidate.Importance.StartsWith("Osscar", StringComparison.Ordinal)));
        var ml = new MLContext(1);
        using var stream = new MemoryStream();
        ml.Compression().Save(model, model.InputSchema, stream);
        stream.Position = 0;
        Assert.AreEqual(report.ToString(), ((NeuralNetworkTransformer)ml.Compression().Load(stream, out _)).GetReport<PruningReport>().ToString());
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits_and_a_way_that_cannot_be_gone_says_why()
    {
        // The absolute error has no curvature.
        OneShotOptions options = new() { Amount = Amount.Fraction(0.5), Rows = 200, Seed = 3 };
        CollectionAssert.AreEqual(Bits(), Bits());
        float[] Bits() => [.. Fit(options).Model.Network.Parameters.SelectMany(parameter => parameter.Values.ToArray())];

        var ml = new MLContext(1);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(i
            => new Point { Features = [MathF.Sin(i), MathF.Cos(i)], Label = MathF.Sin(2 * i) }));
        var network = new NeuralNetworkOptions { Network = Network.Mlp(2, 8, 1), Epochs = 2, Loss = Loss.MeanAbsoluteError };
        var report = ml.Regression.Trainers.NeuralNetwork(network).Append(ml.Transforms.PruneOneShot(options)).Fit(rows).LastTransformer
            .GetReport<PruningReport>();
        var together = report.Candidates.Where(candidate => candidate.Importance.StartsWith("Combinatorial", StringComparison.Ordinal)).ToArray();
        Assert.IsNotEmpty(together);
        Assert.IsTrue(together.All(candidate => candidate.Validation is null && candidate.Reason!.Contains("curvature")));
    }

    [TestMethod]
    public void What_cannot_be_done_is_refused()
    {
        var ml = new MLContext(1);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Transforms.PruneOneShot(1.0));
        Assert.ThrowsExactly<ArgumentException>(() => ml.Transforms.PruneOneShot(new OneShotOptions { Amount = Amount.MultiplyAdds(0.5) }));
        var data = Digits.Load(ml);
        var options = Digits.Options(1) with { ValidationFraction = 0 };
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Append(ml.Transforms.PruneOneShot(0.5));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => chain.Fit(data)).Message, "ValidationFraction");
        var wrong = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1)))
            .Append(ml.Transforms.PruneOneShot(new OneShotOptions { Scope = Scope.Layer.Only("fc9") }));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => wrong.Fit(data)).Message, "fc9");
    }

    private static (NeuralNetworkTransformer Model, NeuralNetworkTransformer Before) Fit(OneShotOptions options)
    {
        var ml = new MLContext(1);
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(8))).Append(ml.Transforms.PruneOneShot(options))
            .Fit(Digits.Load(ml));
        return (chain.LastTransformer, chain.OfType<NeuralNetworkTransformer>().First());
    }

    private sealed class Now(Action<OneShotProgress> report) : IProgress<OneShotProgress>
    {
        public void Report(OneShotProgress value) => report(value);
    }

    private sealed class Point
    {
        [Microsoft.ML.Data.VectorType(2)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
