namespace MLNet.Pruning.Extensions;

[TestClass]
public class MetricTests
{
    [TestMethod]
    public void A_pruning_goes_on_as_long_as_the_largest_error_allows()
    {
        const double Allowed = 0.1;
        var network = Network.Mlp(Chain.Width, 25, 1).Initialize(7);
        var validation = new List<float[]>();
        var largest = Metric.Of("largest error", MetricDirection.LowerIsBetter, rows =>
        {
            validation.Add(rows.Labels.ToArray());
            return Enumerable.Range(0, rows.Rows).Max(row => Math.Abs(rows.ScoreOf(row) - rows.Labels[row]));
        });
        var model = Chain.Prune(network, new()
        {
            Amount = Amount.Fraction(0.95), Schedule = Schedule.Linear(10), FineTuneEpochs = 0, Metric = largest, Tolerance = Allowed,
        }, validationFraction: 0.4);

        // By hand, on the rows that were held back: no two have the same label.
        var held = validation[0];
        Assert.HasCount(20, held);
        double Error(Network network) => Chain.Rows.Where(row => held.Contains(Chain.Label(row))).Max(row =>
            Math.Abs(Chain.Dense(network, "fc2", Array.ConvertAll(Chain.Dense(network, "fc1", Chain.Wide(row)), value => Math.Max(0, value)))[0]
                - Chain.Label(row)));
        var report = model.GetReport<PruningReport>();
        Assert.AreEqual("largest error", report.Before!.Name);
        Assert.AreEqual(Error(network), report.Before.Metric, 1e-5);
        Assert.IsTrue(report.StoppedEarly, report.ToString());
        Assert.IsNotEmpty(report.Steps.Where(step => step.Kept));
        Assert.IsLessThanOrEqualTo(Error(network) + Allowed + 1e-5, Error(model.Network));
        foreach (var step in report.Steps)
        {
            Assert.AreEqual(step.Kept, step.Validation!.Metric - report.Before.Metric <= Allowed, step.ToString());
        }

        Assert.AreEqual(Error(model.Network), report.Steps.Last(step => step.Kept).Validation!.Metric, 1e-5);
    }
}
