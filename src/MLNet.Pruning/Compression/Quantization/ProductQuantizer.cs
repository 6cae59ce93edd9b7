using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Parts of the rows of dense layers on few vectors each; layers compute with floats.</summary>
internal sealed class ProductQuantizer(int codewords, int length) : Quantizer
{
    private const int Rounds = 50;

    public override string ToString() => Notation.Call(nameof(Product), codewords, length);

    internal override Network Run(Network network, QuantizationStep step) => Write(network, Books(network, step));

    internal override (TrainingResult Result, Network Quantized) Train(Network network, QuantizationStep step,
        Func<Network, Func<Network, Network>, TrainingResult> train)
    {
        var books = Books(network, step);
        var writer = new QuantizedGraph(network);
        var names = Array.ConvertAll(books, book => writer.RoundInTraining(book.Weight, book.Vectors, length, book.Codes));
        var result = train(writer.Build(), after => FakeQuantization.Floats(network, after));
        return (result, Write(FakeQuantization.Floats(network, result.Network),
            [.. books.Zip(names, (book, name) => book with { Vectors = result.Network[name].Array })]));
    }

    private WeightBook[] Books(Network network, QuantizationStep step)
    {
        WeightBook[] books = [.. FloatWeights.Of(network, this, step).Where(weight => Fits(weight.Layer, weight.Weight, step))
            .Select(weight => Book(weight.Weight, step))];
        return books.Length > 0 ? books : throw step.Nothing(this);
    }

    private Network Write(Network network, WeightBook[] books)
    {
        var changed = books.ToDictionary(book => book.Weight, book => network[book.Weight]
            .WithValues([.. book.Codes.SelectMany(code => book.Vectors.AsSpan((int)code * length, length).ToArray()).Select(CodebookQuantizer.Short)])
            .Coded(length));
        return new Network(network.Parts with
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

    private WeightBook Book(Parameter weight, QuantizationStep step)
    {
        var (rows, parts) = (weight.Shape[0], weight.Shape[1] / length);
        var (all, codes) = (new List<float>(), new long[rows * parts]);
        for (var part = 0; part < parts; part++)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            var vectors = Enumerable.Range(0, rows).Select(row => Array.ConvertAll(weight.Array[((row * parts + part) * length)..][..length],
                value => (double)value)).ToArray();
            var (means, nearest) = Fit(vectors, step.Seed);
            for (var row = 0; row < rows; row++)
            {
                codes[row * parts + part] = all.Count / length + nearest[row];
            }

            all.AddRange(means.SelectMany(mean => mean).Select(value => (float)value));
        }

        return new(weight.Name, [.. all], codes);
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

    /// <summary>The vectors of a weight.</summary>
    /// <param name="Weight">Its name.</param>
    /// <param name="Vectors">They, one after another: those of the first part of all rows, of the second, and so on.</param>
    /// <param name="Codes">For each part of each row, the place of its vector.</param>
    private sealed record WeightBook(string Weight, float[] Vectors, long[] Codes);
}
