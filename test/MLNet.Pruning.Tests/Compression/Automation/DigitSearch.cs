using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>A small trained network of three hidden layers over the digits, and all that is measured of it computed by hand.</summary>
internal static class DigitSearch
{
    public const int Seed = 3;
    public static readonly int[] Widths = [64, 16, 12, 10, 10];
    public static readonly double[] Sparsities = [0.25, 0.5, 0.75];
    private static readonly Lazy<(Network Network, float[][] Rows, int[] Labels)> s_digits = new(Train);
    private static readonly Lazy<(long[] Kept, double Accuracy, double Loss)[]> s_all = new(() => [.. Combinations().Select(kept =>
    {
        var (accuracy, loss) = Measure(Masked(kept));
        return (kept, accuracy, loss);
    })]);

    public static Network Network => s_digits.Value.Network;

    /// <summary>All that the sparsities allow, measured by hand.</summary>
    public static IReadOnlyList<(long[] Kept, double Accuracy, double Loss)> All => s_all.Value;

    /// <summary>The network in a chain, without training it again.</summary>
    public static EstimatorChain<NeuralNetworkTransformer> Chain(MLContext ml, Network? network = null, double validation = 0.2)
        => Digits.Prepare(ml).Append(ml.Transforms.LoadNetwork(
        new LoadNetworkOptions { Network = network ?? Network, InputColumnNames = ["Features"], Seed = Seed, ValidationFraction = validation,
            Training = new() { LearningRate = 3e-3, BatchSize = 64, Seed = Seed } }));

    /// <summary>Fits the chain with an automatic pruning behind it.</summary>
    public static NeuralNetworkTransformer Prune(AutoPruneOptions options)
    {
        var ml = new MLContext(1);
        return Chain(ml).Append(ml.Transforms.AutoPrune(options)).Fit(Digits.Load(ml)).LastTransformer;
    }

    /// <summary>Accuracy and cross entropy on the validation rows, in double precision, with units and weights left out as they stand.</summary>
    public static (double Accuracy, double Loss) Measure(Network network)
    {
        var (_, rows, labels) = s_digits.Value;
        // The split that LoadNetwork documents: drawn by the seed.
        var order = Enumerable.Range(0, rows.Length).ToArray();
        new Random(Seed).Shuffle(order);
        var held = order[..(int)Math.Round(rows.Length * 0.2)];
        var (correct, loss) = (0, 0.0);
        foreach (var row in held)
        {
            var values = Array.ConvertAll(rows[row], value => (double)value);
            for (var layer = 1; layer < Widths.Length; layer++)
            {
                var (weight, bias) = (network[$"fc{layer}.weight"], network[$"fc{layer}.bias"].Values.ToArray());
                var (weights, inputs) = (weight.Values.ToArray(), weight.Shape[1]);
                values = [.. bias.Select((b, unit) => b + values.Select((value, i) => value * weights[unit * inputs + i]).Sum())];
                values = layer == Widths.Length - 1 ? values : Array.ConvertAll(values, value => Math.Max(0, value));
            }

            correct += Array.IndexOf(values, values.Max()) == labels[row] ? 1 : 0;
            loss += Math.Log(values.Sum(Math.Exp)) - values[labels[row]];
        }

        return ((double)correct / held.Length, loss / held.Length);
    }

    /// <summary>The network with the units of least row sum at zero, so many left of each hidden layer: what a removal computes.</summary>
    public static Network Masked(IReadOnlyList<long> kept)
    {
        var network = Network;
        for (var layer = 1; layer <= kept.Count; layer++)
        {
            var (weight, bias) = (Network[$"fc{layer}.weight"].Values.ToArray(), Network[$"fc{layer}.bias"].Values.ToArray());
            var inputs = weight.Length / bias.Length;
            var (masked, next) = (network[$"fc{layer}.weight"].Values.ToArray(), network[$"fc{layer + 1}.weight"].Values.ToArray());
            foreach (var unit in Enumerable.Range(0, bias.Length).OrderBy(unit => weight.Skip(unit * inputs).Take(inputs).Sum(value => (double)Math.Abs(value)))
                .Take(bias.Length - (int)kept[layer - 1]))
            {
                masked.AsSpan(unit * inputs, inputs).Clear();
                bias[unit] = 0;
                for (var reader = 0; reader < next.Length / bias.Length; reader++)
                {
                    next[reader * bias.Length + unit] = 0;
                }
            }

            network = network.With($"fc{layer}.weight", masked).With($"fc{layer}.bias", bias).With($"fc{layer + 1}.weight", next);
        }

        return network;
    }

    public static long MultiplyAdds(IReadOnlyList<long> kept)
    {
        long[] widths = [64, .. kept, 10];
        return widths.Zip(widths[1..], (from, to) => from * to).Sum();
    }

    public static long Parameters(IReadOnlyList<long> kept) => MultiplyAdds(kept) + kept.Sum() + 10;

    /// <summary>All that the sparsities allow: units left of each hidden layer.</summary>
    private static IEnumerable<long[]> Combinations()
    {
        long[][] levels = [.. Widths[1..^1].Select(width =>
            Sparsities.Prepend(0).Select(sparsity => width - (long)Math.Round(sparsity * width, MidpointRounding.ToEven)).ToArray())];
        return from a in levels[0] from b in levels[1] from c in levels[2] select new[] { a, b, c };
    }

    public sealed class Prepared
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }

    private static (Network, float[][], int[]) Train()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers
            .NeuralNetwork(new NeuralNetworkOptions { Network = Network.Mlp(64, Widths[1..]), Epochs = 40, LearningRate = 5e-3, Seed = Seed,
                ValidationFraction = 0.2 })).Fit(data);
        var rows = ml.Data.CreateEnumerable<Prepared>(Digits.Prepare(ml).Fit(data).Transform(data), reuseRowObject: false).ToArray();
        return (model.LastTransformer.Network, [.. rows.Select(row => row.Features)], [.. rows.Select(row => (int)row.Label - 1)]);
    }
}
