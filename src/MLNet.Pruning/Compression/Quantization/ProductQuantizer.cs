using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Parts of the rows of dense layers on few vectors each; layers compute with floats.</summary>
internal sealed class ProductQuantizer(int codewords, int length) : Quantizer
{
    private const int Rounds = 50;

    public override string ToString() => Notation.Call(nameof(Product), codewords, length);

    internal override Network Run(Network network, QuantizationStep step)
    {
        var changed = FloatWeights.Of(network, this, step).Where(weight => Fits(weight.Layer, weight.Weight, step))
            .ToDictionary(weight => weight.Weight.Name, weight => Round(weight.Weight, step));
        return changed.Count == 0 ? throw step.Nothing(this) : new Network(network.Parts with
        {
            Parameters = [.. network.Parameters.Select(parameter => changed.GetValueOrDefault(parameter.Name, parameter))],
            AsRead = false,
        });
    }

    private bool Fits(LayerInfo layer, Parameter weight, QuantizationStep step)
    {
        var reason = weight.Shape.Length != 2 || layer.Axes(weight).Output != 0 ? "its weight is not a matrix of outputs by inputs"
            : weight.Shape[1] % length != 0 ? $"its {weight.Shape[1]} inputs are no multiple of {length}" : null;
        if (reason is not null)
        {
            step.Floats.Add((layer.Node.Name, reason));
        }

        return reason is null;
    }

    private Parameter Round(Parameter weight, QuantizationStep step)
    {
        var (rows, columns) = (weight.Shape[0], weight.Shape[1]);
        var rounded = weight.Values.ToArray();
        for (var start = 0; start < columns; start += length)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            var vectors = Enumerable.Range(0, rows).Select(row => Array.ConvertAll(rounded[(row * columns + start)..(row * columns + start + length)],
                value => (double)value)).ToArray();
            var (means, nearest) = Fit(vectors, step.Seed);
            for (var row = 0; row < rows; row++)
            {
                Array.ConvertAll(means[nearest[row]], value => CodebookQuantizer.Short((float)value)).CopyTo(rounded, row * columns + start);
            }
        }

        return weight.WithValues(rounded).Coded(length);
    }

    /// <summary>Means of vectors from some of them that are drawn, and for each vector the nearest.</summary>
    private (double[][] Means, int[] Nearest) Fit(double[][] vectors, int seed)
    {
        var drawn = Enumerable.Range(0, vectors.Length).ToArray();
        new Random(seed).Shuffle(drawn);
        double[][] means = [.. drawn.Take(codewords).Select(i => vectors[i])];
        var nearest = new int[vectors.Length];
        for (var round = 0; round < Rounds; round++)
        {
            var next = Array.ConvertAll(vectors, vector => Nearest(means, vector));
            if (round > 0 && next.AsSpan().SequenceEqual(nearest))
            {
                break;
            }

            nearest = next;
            var (sums, counts) = (Array.ConvertAll(means, _ => new double[length]), new int[means.Length]);
            for (var i = 0; i < vectors.Length; i++)
            {
                counts[nearest[i]]++;
                for (var j = 0; j < length; j++)
                {
                    sums[nearest[i]][j] += vectors[i][j];
                }
            }

            means = [.. means.Select((mean, k) => counts[k] == 0 ? mean : Array.ConvertAll(sums[k], sum => sum / counts[k]))];
        }

        return (means, nearest);
    }

    private static int Nearest(double[][] means, double[] vector)
    {
        var (nearest, least) = (0, double.PositiveInfinity);
        for (var k = 0; k < means.Length; k++)
        {
            var distance = 0.0;
            for (var j = 0; j < vector.Length; j++)
            {
                distance += (means[k][j] - vector[j]) * (means[k][j] - vector[j]);
            }

            (nearest, least) = distance < least ? (k, distance) : (nearest, least);
        }

        return nearest;
    }
}
