using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

[TestClass]
public class StepReportTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Every_step_of_a_chain_keeps_its_report_also_in_a_file()
    {
        var rows = Rows();
        var model = _ml.Transforms.LoadNetwork(Network.Mlp(64, 12, 10).Initialize(1))
            .Append(_ml.Transforms.FineTune(2))
            .Append(_ml.Transforms.Prune(0.5))
            .Append(_ml.Transforms.AutoPrune(Budget.MultiplyAdds(500), fineTuneEpochs: 0))
            .Fit(rows);
        var path = Path.GetTempFileName();
        _ml.Compression().Save(model, rows.Schema, path);
        var loaded = (IEnumerable<ITransformer>)_ml.Compression().Load(path, out _);
        File.Delete(path);
        foreach (var steps in new[] { model.Cast<NeuralNetworkTransformer>().ToArray(), [.. loaded.Cast<NeuralNetworkTransformer>()] })
        {
            Assert.IsNull(steps[0].Report);
            CollectionAssert.AreEqual(new[] { 1, 2 }, steps[1].GetReport<TrainingReport>().Epochs.Select(epoch => epoch.Epoch).ToArray());
            Assert.HasCount(2, steps[1].Report!.ToString().Split('\n'));
            Assert.AreEqual(0.5, steps[2].GetReport<PruningReport>().Steps.Single().Sparsity, 0.01);
            Assert.IsGreaterThan(0, steps[2].GetReport<PruningReport>().Histograms.Count);
            Assert.IsLessThanOrEqualTo(500, steps[3].GetReport<AutoPruneReport>().Costs.Single().After);
            Assert.AreSame(steps[3].Report, steps[3].GetReport<StepReport>());
        }
    }

    [TestMethod]
    public void A_report_of_another_kind_is_refused_by_both_names()
    {
        var rows = Rows();
        var loaded = _ml.Transforms.LoadNetwork(Network.Mlp(64, 12, 10).Initialize(1)).Fit(rows);
        var pruned = _ml.Transforms.Prune(0.5).Fit(loaded.Transform(rows));
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => pruned.GetReport<TrainingReport>());
        StringAssert.Contains(error.Message, "no TrainingReport here: the step has a PruningReport");
        error = Assert.ThrowsExactly<InvalidOperationException>(() => loaded.GetReport<PruningReport>());
        StringAssert.Contains(error.Message, "no PruningReport here: the step has none");
    }

    private IDataView Rows() => Digits.Prepare(_ml).Fit(Digits.Load(_ml)).Transform(Digits.Load(_ml));
}
