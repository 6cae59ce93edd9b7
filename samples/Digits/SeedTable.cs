using System.Globalization;

namespace MLNet.Pruning.Samples.Digits;

/// <summary>The same run with several seeds, as a Markdown table.</summary>
internal static class SeedTable
{
    public static void Print(int count)
    {
        Console.WriteLine("| seed | dense accuracy | pruned and fine-tuned | difference in points | sparsity |");
        Console.WriteLine("|---:|---:|---:|---:|---:|");
        var differences = new List<double>();
        for (var seed = 1; seed <= count; seed++)
        {
            var run = DigitsRun.Fit(seed);
            var (dense, pruned) = (run.TestAccuracy(run.Dense), run.TestAccuracy(run.FineTuned));
            differences.Add(100 * (pruned - dense));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {seed} | {dense:P2} | {pruned:P2} | {differences[^1]:+0.00;-0.00;0.00} | {run.Measure(run.FineTuned).Total.Sparsity:P2} |"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nmean difference {differences.Average():+0.00;-0.00;0.00} points, worst {differences.Min():+0.00;-0.00;0.00}"));
    }
}
