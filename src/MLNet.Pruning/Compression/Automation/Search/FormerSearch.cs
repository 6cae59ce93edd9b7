using System.Text.RegularExpressions;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>What state files of version 1 say of a search: some of its options, in words.</summary>
internal static partial class FormerSearch
{
    /// <summary>
    /// The same in the words of now. What they do not name is taken to be as it is here: it shows which weights or structures the levels stand for, which they
    /// do name.
    /// </summary>
    /// <param name="former">What the file says.</param>
    /// <param name="now">What the search is here.</param>
    public static IEnumerable<(string Name, string Value)> Upgrade(IReadOnlyDictionary<string, string> former, IEnumerable<(string Name, string Value)> now)
        => now.Select(setting => (setting.Name, setting.Name switch
        {
            "Budget" => former.GetValueOrDefault("budget") is { } limits ? Budget(limits) : setting.Value,
            "Minimize" => former.GetValueOrDefault("cost to minimise", setting.Value),
            "Strategy" => former.GetValueOrDefault("strategy") is { } strategy ? Strategy(strategy) : setting.Value,
            "Granularity" => former.GetValueOrDefault("granularity") is { } name ? FormerTraining.Granularity(name) : setting.Value,
            "Seed" => former.GetValueOrDefault("seed", setting.Value),
            "CandidateEpochs" => former.GetValueOrDefault("fine-tuning of candidates", setting.Value) is var tuned and not "none" ? tuned : "0",
            // The metric had no name where there was but one for the task.
            _ => former.GetValueOrDefault(setting.Name) is { } value && !setting.Value.EndsWith($" {value}", StringComparison.Ordinal) ? value : setting.Value,
        }));

    private static string Budget(string limits) => string.Join(" + ", limits.Split(", ").Select(limit => Limit().Match(limit) is { Success: true } match
        ? match.Groups["cost"].Value switch
        {
            "loss of metric" => Call(nameof(MLNet.Pruning.Budget.MetricLoss), match, "most"),
            "milliseconds" => Call(nameof(MLNet.Pruning.Budget.Latency), match, "most", "batch"),
            "multiply-adds" => Call(nameof(MLNet.Pruning.Budget.MultiplyAdds), match, "most"),
            "parameters" => Call(nameof(MLNet.Pruning.Budget.Parameters), match, "most"),
            _ => Call(nameof(MLNet.Pruning.Budget.Bytes), match, "most"),
        } : limit));

    private static string Strategy(string words) => Evolution().Match(words) is { Success: true } match
        ? Call(match.Groups["policy"].Success ? nameof(SearchStrategy.LearnedPolicy) : nameof(SearchStrategy.Evolutionary), match, "population", "rounds")
        : words == "sensitivity-guided" ? nameof(SearchStrategy.SensitivityGuided) : words;

    private static string Call(string name, Match match, params string[] numbers)
        => $"{name}({string.Join(", ", numbers.Select(number => match.Groups[number].Value))})";

    [GeneratedRegex("^at most (?<most>\\S+) (?<cost>bytes|multiply-adds|parameters|milliseconds|loss of metric)( a batch of (?<batch>[0-9]+))?$")]
    private static partial Regex Limit();

    [GeneratedRegex("^(evolutionary|(?<policy>learned policy)), (?<rounds>[0-9]+) (generations|iterations) of (?<population>[0-9]+)$")]
    private static partial Regex Evolution();
}
