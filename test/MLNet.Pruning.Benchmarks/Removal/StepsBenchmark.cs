using System.Collections.Immutable;
using System.Diagnostics;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Tests;

namespace MLNet.Pruning.Benchmarks;

/// <summary>A removal in ten steps with each graph analysed once, against the same steps on networks that are built anew for every question.</summary>
internal static class StepsBenchmark
{
    private static readonly PruningOptions s_options = new()
    {
        Amount = Amount.Fraction(0.5), Granularity = Granularity.Filter, Schedule = Schedule.Linear(10), FineTuneEpochs = 0, Alignment = 1,
    };

    public static void Run(Report report)
    {
        report.Section("Removing half of ResNet-50's filters in ten steps", "nothing shared", "times as fast",
            """
            `Schedule.Linear(10)` by magnitude, without fine-tuning, and with weights to rewind to. A step asks for groups three times: to choose, to record
            what went and to tell what is left. Networks of one graph share what was found; beside it each step and each count is of a network that is built
            anew from its parts, and so are the weights to rewind to. Both give the same weights.
            """);
        var network = Network.FromOnnx(new ZooArchive("networks").Get("resnet50").Path);
        var (shared, alone) = (Steps(network, pruned => pruned), Steps(network, Anew));
        if (!shared.Parameters.Zip(alone.Parameters).All(pair => pair.First.Values.SequenceEqual(pair.Second.Values)))
        {
            throw new InvalidOperationException("Both sides should have removed the same filters.");
        }

        var (ours, theirs) = report.Interleave(() => Seconds(network, pruned => pruned), () => Seconds(network, Anew));
        report.Add(new("ResNet-50", ours, theirs, seconds => FormattableString.Invariant($"{1000 * seconds:n0} ms"), (our, their) => their / our));
    }

    private static double Seconds(Network network, Func<PrunedNetwork, PrunedNetwork> asked)
    {
        // Neither side has the groups of the first graph already.
        network = new Network(network.Parts);
        var watch = Stopwatch.StartNew();
        Steps(network, asked);
        return watch.Elapsed.TotalSeconds;
    }

    private static Network Steps(Network network, Func<PrunedNetwork, PrunedNetwork> asked)
    {
        static ImportanceScores Measure(PrunedNetwork pruned) => s_options.Importance.Measure(new(pruned));
        PrunedNetwork good = new(network, ImmutableDictionary<string, WeightMask>.Empty, ImmutableDictionary<string, Network>.Empty.Add("initial", network));
        var plan = PruningPlan.Create(s_options, good, Measure(good), Measure);
        for (var step = 0; step < plan.Steps; step++)
        {
            good = plan.Prune(asked(good), step, Measure(good));
            _ = plan.Describe(asked(good));
        }

        return good.Network;
    }

    /// <summary>The same weights on graphs of their own.</summary>
    private static PrunedNetwork Anew(PrunedNetwork pruned)
        => new(new Network(pruned.Weights.Parts), pruned.Masks,
            pruned.Checkpoints.ToImmutableDictionary(checkpoint => checkpoint.Key, checkpoint => Anew(checkpoint.Value)));

    private static Network Anew(Network network)
        => new(network.Parts with { Parameters = [.. network.Parameters.Select(parameter => parameter.WithValues(parameter.Array))] });
}
