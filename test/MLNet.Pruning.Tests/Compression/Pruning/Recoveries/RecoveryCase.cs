using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>Networks of which it is known what can be made up for, and what they compute.</summary>
internal static class RecoveryCase
{
    /// <summary>Two convolutions with normalisation and pooling between, then a dense layer behind a flatten. Of 6 and 4 filters.</summary>
    public static Network Convolutional() => Network.Sequential([2, 10, 10], Layer.Conv2d(6, 3), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2),
        Layer.Conv2d(4, 3, bias: false), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(3)).Initialize(4);

    /// <summary>The network in which some slices of parameters along their first dimension are multiples of others.</summary>
    public static Network Tied(this Network network, IEnumerable<string> parameters, int to, int from, float factor = 1)
    {
        foreach (var name in parameters)
        {
            var values = network[name].Values.ToArray();
            var length = values.Length / network[name].Shape[0];
            for (var i = 0; i < length; i++)
            {
                values[to * length + i] = factor * values[from * length + i];
            }

            network = network.With(name, values);
        }

        return network;
    }

    public static float[][] Rows(int count, int width, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => 2 * random.NextSingle() - 1).ToArray())];
    }

    public static CalibrationData Data(float[][] rows, int outputs = 2)
        => Importances.Calibrations.Of(rows, rows.Select((_, i) => (float)(i % outputs)), LearningTask.Multiclass, Loss.CrossEntropy, 16);

    /// <summary>What is left without some groups of a layer, and what the recovery makes of it.</summary>
    public static (Network Removed, Network Recovered) Without(Network network, string layer, int[] numbers, Recovery recovery, CalibrationData data)
    {
        var removed = network.Remove(network.Groups().Where(group => group.Layer == layer && numbers.Contains(group.Number)));
        return (removed, recovery.Recover(new(network.Unpruned(), removed.Unpruned(), new(), data)).Network);
    }

    public static PrunedNetwork Unpruned(this Network network) => new(network, System.Collections.Immutable.ImmutableDictionary<string, WeightMask>.Empty);

    public static float[] Outputs(Network network, float[][] rows)
    {
        using var scorer = new TorchScorer(network, softmax: false, rows.Length);
        rows.SelectMany(row => row).ToArray().CopyTo(scorer.Rows, 0);
        scorer.Run(rows.Length);
        return [.. Enumerable.Range(0, rows.Length).SelectMany(i => scorer.Scores(i).ToArray())];
    }

    public static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2)));
}
