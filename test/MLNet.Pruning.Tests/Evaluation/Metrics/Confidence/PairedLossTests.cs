using MLNet.Pruning.Evaluation.Metrics.Confidence;

namespace MLNet.Pruning.Tests.Evaluation.Metrics.Confidence;

/// <summary>
/// Bounds on losses lie below the true loss no more often than they may: counted out over all outcomes where rows are few, and in 2,000 simulated runs of a
/// loss just beyond the tolerance.
/// </summary>
[TestClass]
public class PairedLossTests
{
    private const int Runs = 2000;
    private const double Error = 0.05;

    [TestMethod]
    public void Distributions_are_those_of_sums_and_tables()
    {
        foreach (var (trials, probability) in new[] { (1, 0.3), (7, 0.01), (30, 0.5), (200, 0.97) })
        {
            var sum = 0.0;
            for (var successes = 0; successes <= trials; successes++)
            {
                var one = Enumerable.Range(1, successes).Aggregate(1.0, (product, i) => product * (trials - successes + i) / i * probability)
                    * Math.Pow(1 - probability, trials - successes);
                sum += one;
                Assert.AreEqual(one, Math.Exp(Distributions.LogBinomial(successes, trials, probability)), 1e-12 + 1e-10 * one);
                Assert.AreEqual(sum, Distributions.Binomial(successes, trials, probability), 1e-10);
            }
        }

        // Abramowitz and Stegun, table 26.10.
        foreach (var (probability, freedom, expected) in new[] { (0.95, 1, 6.314), (0.975, 4, 2.776), (0.95, 10, 1.812), (0.975, 30, 2.042),
            (0.95, 120, 1.658) })
        {
            Assert.AreEqual(expected, Distributions.StudentQuantile(probability, freedom), 5e-4);
        }
    }

    [TestMethod]
    [DataRow(5)]
    [DataRow(12)]
    [DataRow(30)]
    public void Counted_out_over_all_outcomes_of_few_rows_the_bound_is_never_wrong_too_often(int rows)
    {
        var bounds = new Dictionary<(int, int), double>();
        for (var lost = 0; lost <= rows; lost++)
        {
            for (var gained = 0; gained + lost <= rows; gained++)
            {
                bounds[(lost, gained)] = PairedProportions.Upper(rows, lost, gained, Error);
            }
        }

        foreach (var loss in new[] { 0.001, 0.01, 0.03, 0.1, 0.25, 0.5 })
        {
            foreach (var gains in new[] { 0, 0.003, 0.02, 0.07, 0.15, 0.25 })
            {
                var wrong = bounds.Where(bound => bound.Value < loss).Sum(bound => Trinomial(rows, bound.Key.Item1, bound.Key.Item2, loss + gains, gains));
                Assert.IsLessThanOrEqualTo(Error, wrong, $"loss {loss}, gains {gains}");
            }
        }
    }

    [TestMethod]
    public void Bounds_are_as_tight_as_the_rows_allow()
    {
        // The rule of three: of 300 rows none lost or gained.
        Assert.AreEqual(-Math.Log(Error) / 300, PairedProportions.Upper(300, 0, 0, Error), 0.002);
        // Large samples: the normal bound, here 0.02 + 1.645 * sqrt(0.06 - 0.02 * 0.02) / sqrt(20000).
        Assert.AreEqual(0.02 + 1.645 * Math.Sqrt(0.06 - 0.0004) / Math.Sqrt(20_000), PairedProportions.Upper(20_000, 800, 400, Error), 2e-4);
        Assert.IsLessThan(0.009, PairedProportions.Upper(1000, 4, 4, Error));
        Assert.AreEqual(1, PairedProportions.Upper(1, 1, 0, Error), 2e-6);
        Assert.IsGreaterThan(PairedProportions.Upper(500, 8, 2, 0.05), PairedProportions.Upper(500, 8, 2, 0.01));
    }

    [TestMethod]
    [DataRow(60, 0.02, 0.01)]
    [DataRow(200, 0.01, 0.005)]
    [DataRow(200, 0.01, 0.05)]
    [DataRow(1000, 0.01, 0.01)]
    [DataRow(3000, 0.005, 0.005)]
    public void A_loss_just_beyond_the_tolerance_passes_in_at_most_a_twentieth_of_the_runs(int rows, double most, double gains)
    {
        var (random, passed) = (new Random(rows), 0);
        var known = new Dictionary<(int, int), double>();
        for (var run = 0; run < Runs; run++)
        {
            var (lost, gained) = (0, 0);
            for (var row = 0; row < rows; row++)
            {
                var draw = random.NextDouble();
                lost += draw < most * 1.001 + gains ? 1 : 0;
                gained += draw > 1 - gains ? 1 : 0;
            }

            if (!known.TryGetValue((lost, gained), out var bound))
            {
                known[(lost, gained)] = bound = PairedProportions.Upper(rows, lost, gained, Error);
            }

            passed += bound <= most ? 1 : 0;
        }

        Assert.IsLessThanOrEqualTo(Error, (double)passed / Runs);
    }

    [TestMethod]
    [DataRow(200, 0.02)]
    [DataRow(600, 0.01)]
    public void A_chain_of_steps_on_the_same_rows_hands_on_a_network_that_lost_too_much_in_at_most_a_twentieth(int rows, double most)
    {
        // Each step loses a little more, on the same rows, and stops at the first that fails. True losses: half the tolerance per step, a little over it at the
        // second.
        const int Steps = 8;
        var (random, wrong) = (new Random(rows), 0);
        var known = new Dictionary<(int, int), double>();
        var loss = most * 0.502;
        for (var run = 0; run < Runs; run++)
        {
            // A row that is gained or lost at a step stays so; a chance of each a step.
            var state = new int[rows];
            var last = 0;
            for (var step = 1; step <= Steps; step++)
            {
                for (var row = 0; row < rows; row++)
                {
                    var draw = random.NextDouble();
                    state[row] = state[row] != 0 ? state[row] : draw < loss + 0.004 ? 1 : draw > 1 - 0.004 ? -1 : 0;
                }

                var (lost, gained) = (state.Count(one => one > 0), state.Count(one => one < 0));
                if (!known.TryGetValue((lost, gained), out var bound))
                {
                    known[(lost, gained)] = bound = PairedProportions.Upper(rows, lost, gained, Error);
                }

                if (bound > most)
                {
                    break;
                }

                last = step;
            }

            // The share that is still undecided shrinks geometrically, so that the true loss after k steps is a geometric sum.
            var trueLoss = loss * (1 - Math.Pow(1 - loss - 0.008, last)) / (loss + 0.008);
            wrong += trueLoss > most ? 1 : 0;
        }

        Assert.IsLessThanOrEqualTo(Error, (double)wrong / Runs);
    }

    [TestMethod]
    [DataRow(40, "normal")]
    [DataRow(400, "normal")]
    [DataRow(40, "exponential")]
    [DataRow(400, "exponential")]
    [DataRow(150, "rare")]
    public void Of_a_mean_the_bound_lies_below_the_true_loss_in_at_most_a_twentieth(int rows, string shape)
    {
        var (random, wrong) = (new Random(rows), 0);
        var (before, labels) = (new float[rows], new float[rows]);
        for (var run = 0; run < Runs; run++)
        {
            // The absolute error of a row is its loss, the true mean is 1.
            var after = Enumerable.Range(0, rows).Select(_ => (float)(shape switch
            {
                "normal" => Math.Abs(1 + 0.3 * Normal(random)),
                "exponential" => -Math.Log(1 - random.NextDouble()),
                _ => random.NextDouble() < 0.1 ? 5.5 : 0.5,
            })).ToArray();
            wrong += PairedLoss.Upper(Metric.MeanAbsoluteError, new(LearningTask.Regression, before, labels), new(LearningTask.Regression, after, labels),
                Error) < 1 ? 1 : 0;
        }

        Assert.IsLessThanOrEqualTo(Error, (double)wrong / Runs);
    }

    [TestMethod]
    [DataRow("AUC", 60)]
    [DataRow("F1", 60)]
    [DataRow("RMSE", 40)]
    public void Of_others_the_bound_lies_below_the_true_loss_in_at_most_a_twentieth(string name, int rows)
    {
        var metric = Metric.Named(name);
        // Positive rows score 1.5 higher on the average; the second network sees them through more noise. Standard deviations are 1 and 1.5.
        var truth = name switch
        {
            "AUC" => Phi(1.5 / Math.Sqrt(2)) - Phi(1.5 / Math.Sqrt(2 * 2.25)),
            "F1" => F1(1) - F1(1.5),
            _ => Math.Sqrt(2.25) - 1,
        };
        var wrong = 0;
        Parallel.For(0, Runs, run =>
        {
            var random = new Random(run);
            var labels = Enumerable.Range(0, rows).Select(_ => random.NextDouble() < 0.4 ? 1f : 0).ToArray();
            var shared = labels.Select(_ => Normal(random)).ToArray();
            var first = labels.Select((label, row) => (float)(1.5 * (label - 0.5) + shared[row])).ToArray();
            var second = labels.Select((label, row) => (float)(1.5 * (label - 0.5) + shared[row] + Math.Sqrt(1.25) * Normal(random))).ToArray();
            var task = name == "RMSE" ? LearningTask.Regression : LearningTask.Binary;
            var targets = name == "RMSE" ? [.. labels.Select(label => 1.5f * (label - 0.5f))] : labels;
            if (PairedLoss.Upper(metric, new(task, first, targets), new(task, second, targets), Error) < truth)
            {
                Interlocked.Increment(ref wrong);
            }
        });
        Assert.IsLessThanOrEqualTo(Error, (double)wrong / Runs);

        static double F1(double deviation) => 2 * 0.4 * Phi(0.75 / deviation) / (0.4 + 0.4 * Phi(0.75 / deviation) + 0.6 * Phi(-0.75 / deviation));
    }

    [TestMethod]
    public void Networks_that_say_the_same_of_few_rows_prove_little()
    {
        var few = new Predictions(LearningTask.Binary, [2, 2, 2, -2, -2, -2, -2, -2], [1, 1, 1, 0, 0, 0, 0, 0]);
        Assert.IsGreaterThan(0.25, PairedLoss.Upper(Metric.Accuracy, few, few, Error));
        Assert.IsGreaterThan(0.25, PairedLoss.Upper(Metric.F1, few, few, Error));
        Assert.IsGreaterThan(0.25, PairedLoss.Upper(Metric.AreaUnderRocCurve, few, few, Error));
        Assert.AreEqual(double.PositiveInfinity, PairedLoss.Upper(Metric.MeanAbsoluteError, new(LearningTask.Regression, [1], [1]),
            new(LearningTask.Regression, [2], [1]), Error));
        // The direction is the metric's: an error rate that rises is a loss.
        var rate = Metric.MeanOf("error rate", MetricDirection.LowerIsBetter, (rows, row) => rows.PredictedClass(row) == (int)rows.Labels[row] ? 0 : 1);
        Assert.AreEqual(PairedLoss.Upper(Metric.Accuracy, few, few, Error), PairedLoss.Upper(rate, few, few, Error));
    }

    private static double Trinomial(int rows, int lost, int gained, double losing, double gaining)
        => Multinomial(rows, lost, gained) * Math.Pow(losing, lost) * Math.Pow(gaining, gained) * Math.Pow(1 - losing - gaining, rows - lost - gained);

    private static double Multinomial(int rows, int lost, int gained) => Choose(rows, lost) * Choose(rows - lost, gained);

    private static double Choose(int n, int k) => Enumerable.Range(1, k).Aggregate(1.0, (product, i) => product * (n - k + i) / i);

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>The normal distribution, by Simpson's rule over its density.</summary>
    private static double Phi(double x)
    {
        const int Intervals = 2000;
        double Density(double at) => Math.Exp(-at * at / 2) / Math.Sqrt(2 * Math.PI);
        var width = x / Intervals;
        return 0.5 + Enumerable.Range(0, Intervals).Sum(i => (Density(i * width) + 4 * Density((i + 0.5) * width) + Density((i + 1) * width)) * width / 6);
    }
}
