namespace MLNet.Pruning.Extensions;

[TestClass]
public class ScheduleTests
{
    [TestMethod]
    public void A_schedule_goes_where_its_function_says()
    {
        var network = Network.Mlp(Chain.Width, 25, 1).Initialize(7);
        // Half of what is left to go at each of three steps, and then the rest.
        var schedule = Schedule.From((from, target) => Enumerable.Range(1, 3).Select(step => target - (target - from) * Math.Pow(0.5, step)));
        var steps = Chain.Prune(network, new() { Amount = Amount.Fraction(0.8), Scope = Scope.Network.Only("fc1"), Schedule = schedule,
            FineTuneEpochs = 0 }).GetReport<PruningReport>().Steps;
        CollectionAssert.AreEqual(new[] { 0.4, 0.6, 0.7, 0.8 }, steps.Select(step => Math.Round(step.Sparsity, 12)).ToArray());
        CollectionAssert.AreEqual(new long[] { 60, 40, 30, 20 }, steps.Select(step => step.NonZeros).ToArray());
    }

    [TestMethod]
    public void What_does_not_rise_to_the_target_is_refused_with_its_number()
    {
        var network = Network.Mlp(Chain.Width, 25, 1).Initialize(7);
        foreach (var (function, told) in new (Func<double, double, IEnumerable<double>>, string)[]
        {
            ((_, _) => [0.3, 0.2], "number 2 is 0.2"), ((_, _) => [0.9], "number 1 is 0.9"), ((_, _) => [0], "number 1 is 0"),
            ((_, _) => [double.NaN], "number 1 is NaN"),
            ((_, _) => null!, "null"), ((from, target) => Endless(target), "more than 10000"),
        })
        {
            var message = Assert.ThrowsExactly<InvalidOperationException>(() =>
                Chain.Prune(network, new() { Amount = Amount.Fraction(0.5), Schedule = Schedule.From(function) })).Message;
            StringAssert.Contains(message, told);
        }
    }

    private static IEnumerable<double> Endless(double target)
    {
        for (var step = 1; ; step++)
        {
            yield return target * step / (step + 1);
        }
    }
}
