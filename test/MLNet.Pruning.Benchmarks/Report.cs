using System.Globalization;
using System.Text;

namespace MLNet.Pruning.Benchmarks;

/// <summary>One line of the table: two sides, measured in turns.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Ours">This library, each round.</param>
/// <param name="Theirs">What it is compared with, each round; empty where there is nothing.</param>
/// <param name="Unit">Unit and format of both.</param>
/// <param name="Ratio">Ratio of a round, from ours and theirs.</param>
/// <param name="Aim">Smallest (or largest) ratio aimed at; null for none.</param>
/// <param name="AimIsLargest">Whether the aim is a largest ratio.</param>
internal sealed record Comparison(string What, double[] Ours, double[] Theirs, Func<double, string> Unit, Func<double, double, double> Ratio,
    double? Aim = null, bool AimIsLargest = false)
{
    private double[] Ratios => [.. Ours.Zip(Theirs, Ratio)];

    public override string ToString()
    {
        // Of ratios of neighbouring rounds, not a ratio of medians: other load on the machine then hits both sides alike.
        var ratios = Ratios;
        var ratio = ratios.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"**{Median(ratios):g3}** ({ratios.Min():g3} to {ratios.Max():g3})");
        var met = Aim is null || ratios.Length == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{(AimIsLargest ? "at most" : "at least")} {Aim}: "
                + $"{((AimIsLargest ? Median(ratios) <= Aim : Median(ratios) >= Aim) ? "met" : "missed")}");
        return $"| {What} | {Unit(Median(Ours))} | {(Theirs.Length == 0 ? "NA" : Unit(Median(Theirs)))} | {ratio} | "
            + $"{Math.Max(Ours.Length, Theirs.Length)}{(Theirs.Length > 0 && Theirs.Length < Ours.Length ? $"/{Theirs.Length}" : "")} | {met} |";
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>Sections of comparisons as Markdown.</summary>
internal sealed class Report(int rounds)
{
    private readonly StringBuilder _text = new($"""
        # Benchmarks

        Machine: {Machine.Kind}. Absolute numbers mean nothing elsewhere, or while anything else runs; ratios do. Each ratio is the median over rounds
        that alternate between the two sides, with the smallest and the largest in brackets.

        """);

    public int Rounds => rounds;

    /// <summary>Measures in turns.</summary>
    public (T[] Ours, T[] Theirs) Interleave<T>(Func<T> ours, Func<T>? theirs)
    {
        var (left, right) = (new List<T>(), new List<T>());
        for (var round = 0; round < rounds; round++)
        {
            left.Add(ours());
            if (theirs is not null)
            {
                right.Add(theirs());
            }
        }

        return ([.. left], [.. right]);
    }

    /// <param name="title">Title of the section.</param>
    /// <param name="peer">Heading of the other side.</param>
    /// <param name="ratio">Which way the ratios go.</param>
    /// <param name="notes">What one has to know to judge the numbers.</param>
    public void Section(string title, string peer, string ratio, string notes) => Write($"""

        ## {title}

        {notes}

        | | MLNet.Pruning | {peer} | {ratio} | rounds | aim |
        |---|---:|---:|---:|---:|---|
        """);

    public void Add(Comparison comparison) => Write(comparison.ToString());

    public override string ToString() => _text.ToString();

    private void Write(string text)
    {
        _text.Append(text).Append('\n');
        Console.WriteLine(text);
    }
}
