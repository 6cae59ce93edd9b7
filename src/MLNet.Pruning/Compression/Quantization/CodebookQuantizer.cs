using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Weights of a layer on few values, whichever these are; layers compute with floats.</summary>
internal sealed class CodebookQuantizer(int bits, CodebookStart start, double rate, bool biases) : Quantizer
{
    public override string ToString() => Notation.Call(nameof(Codebook), bits, start, rate, biases);

    internal override Network Run(Network network, QuantizationStep step) => Write(network, Books(network, step));

    internal override (TrainingResult Result, Network Quantized) Train(Network network, QuantizationStep step,
        Func<Network, Func<Network, Network>, TrainingResult> train)
    {
        var books = Books(network, step);
        var writer = new QuantizedGraph(network);
        var names = Array.ConvertAll(books,
            book => Array.ConvertAll(book.Parameters, name => writer.RoundInTraining(name, book.Parameters[0], book.Values, book.Price))[0]);
        var result = train(writer.Build(), after => FakeQuantization.Floats(network, after));
        return (result, Write(FakeQuantization.Floats(network, result.Network),
            [.. books.Zip(names, (book, name) => book with { Values = [.. result.Network[name].Values] })]));
    }

    /// <summary>The values of each layer by k-means.</summary>
    private LayerBook[] Books(Network network, QuantizationStep step)
    {
        var known = new HashSet<string>();
        return [.. FloatWeights.Of(network, this, step).Select(weight =>
        {
            string[] parameters = [weight.Weight.Name, .. biases ? Biases(network, weight.Layer).Where(known.Add) : []];
            float[] others = [.. parameters.SelectMany(name => network[name].Array).Where(value => value != 0).Order()];
            var count = (1 << bits) - 1;
            var distinct = others.Distinct().Take(count + 1).Select(value => (double)value).ToArray();
            var values = distinct.Length <= count ? distinct : KMeans.Fit(others, start.Draw(others, count), step.CancellationToken);
            return new LayerBook(parameters, [.. values.Select(value => (float)value)], rate * others.Sum(value => (double)value * value)
                / Math.Max(1, others.Length));
        })];
    }

    private static IEnumerable<string> Biases(Network network, LayerInfo layer) => layer.Parameters
        .Where(name => !layer.Weights.Contains(name) && network[name] is { Trainable: true, Type: TensorType.Float, Grid: null });

    private static Network Write(Network network, LayerBook[] books)
    {
        var changed = new Dictionary<string, Parameter>();
        foreach (var book in books)
        {
            var values = book.Values.Select(Short).Distinct().ToArray();
            var weights = book.Parameters.SelectMany(name => network[name].Array).ToArray();
            var nearest = Networks.Graph.Codebook.Of(values);
            var chosen = book.Price == 0 ? nearest : Networks.Graph.Codebook.Of(values, nearest.Count(weights), book.Price);
            foreach (var name in book.Parameters)
            {
                changed[name] = network[name].WithValues(chosen.Round(network[name].Values)).Coded(1);
            }
        }

        return new Network(network.Parts with
        {
            Parameters = [.. network.Parameters.Select(parameter => changed.GetValueOrDefault(parameter.Name, parameter))],
            AsRead = false,
        });
    }

    /// <summary>To the nearest float of 16 bits with the exponent of 32: half the codebook's bytes for an error far below that of the weights.</summary>
    public static float Short(float value)
    {
        var pattern = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle(pattern + 0x7FFF + (pattern >> 16 & 1) & 0xFFFF0000);
    }

    /// <summary>The values of a layer.</summary>
    /// <param name="Parameters">Its weight, and what shares its values.</param>
    /// <param name="Values">They, besides zero.</param>
    /// <param name="Price">Squared error that a bit is worth.</param>
    private sealed record LayerBook(string[] Parameters, float[] Values, double Price);
}
