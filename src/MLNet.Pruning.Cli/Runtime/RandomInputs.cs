using MLNet.Pruning.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>Sizes of open dimensions in random rows.</summary>
/// <param name="Otherwise">Of those that are not named, the batch left out.</param>
/// <param name="ByName">Of those that are.</param>
internal sealed record RandomSizes(int Otherwise, IReadOnlyDictionary<string, int> ByName)
{
    /// <exception cref="ArgumentException">The network has no open dimension of a name.</exception>
    public void Check(Network network)
    {
        var open = network.Inputs.Where(input => input.IsKnown).SelectMany(input => input.Shape).Where(size => size < 0).Distinct()
            .Select(network.Graph.Symbols.Name).ToArray();
        if (ByName.Keys.FirstOrDefault(name => !open.Contains(name)) is { } unknown)
        {
            throw new ArgumentException($"The model has no open dimension '{unknown}'; "
                + $"{(open.Length == 0 ? "all its sizes are fixed" : "those it leaves open: " + string.Join(", ", open))}.");
        }
    }
}

/// <summary>Seeded random rows that a network can read: floats in [-1, 1), ids from the table they look up, truth values.</summary>
internal sealed class RandomInputs
{
    // Integers that look nothing up are mostly masks.
    private const int TruthValues = 2;

    private readonly Network _network;
    private readonly int _rows;
    private readonly RandomSizes _openSizes;

    /// <param name="network">Tells what to draw.</param>
    /// <param name="rows">Size of an open batch dimension.</param>
    /// <param name="openSizes">Sizes of other open dimensions.</param>
    /// <exception cref="ArgumentException">The file fixes the rows to none, or has no open dimension of a name.</exception>
    public RandomInputs(Network network, int rows, RandomSizes openSizes)
    {
        openSizes.Check(network);
        (_network, _rows, _openSizes) = (network, rows, openSizes);
        if (Rows == 0)
        {
            throw new ArgumentException($"The model reads '{network.Input.Name}', {TensorInfo.Dimensions(network.Input.Shape)}: it has no rows, so there is "
                + "nothing to run it on.");
        }
    }

    /// <summary>Rows in what is drawn: the size of the first dimension of the first input.</summary>
    public int Rows => _network.Inputs.Length > 0 && _network.Input.IsKnown && _network.Input.Shape.Length > 0 ? Size(_network.Input.Shape[0]) : 1;

    /// <summary>A value for each input, in order.</summary>
    /// <exception cref="NotSupportedException">An input is no tensor of numbers.</exception>
    public OrtValue[] Draw(Random random)
    {
        var values = new List<OrtValue>();
        try
        {
            foreach (var input in _network.Inputs)
            {
                values.Add(Draw(input, random));
            }

            return [.. values];
        }
        catch
        {
            values.ForEach(value => value.Dispose());
            throw;
        }
    }

    private OrtValue Draw(TensorInfo input, Random random)
    {
        if (!input.IsKnown)
        {
            throw new NotSupportedException($"Input '{input.Name}' has no shape in the file, so no random one can be made for it.");
        }

        long[] shape = [.. input.Shape.Select(size => (long)Size(size))];
        var count = checked((int)shape.Aggregate(1L, (product, size) => checked(product * size)));
        return input.Type switch
        {
            TensorType.Float => Fill(_ => random.NextSingle() * 2 - 1),
            TensorType.Double => Fill(_ => random.NextDouble() * 2 - 1),
            TensorType.Float16 => Fill(_ => (Float16)(random.NextSingle() * 2 - 1)),
            TensorType.BFloat16 => Fill(_ => (BFloat16)(random.NextSingle() * 2 - 1)),
            TensorType.Int64 => Fill(range => random.NextInt64(range)),
            TensorType.Int32 => Fill(random.Next),
            TensorType.UInt8 => Fill(range => (byte)random.Next(Math.Min(range, byte.MaxValue + 1))),
            TensorType.Int8 => Fill(range => (sbyte)random.Next(Math.Min(range, sbyte.MaxValue + 1))),
            TensorType.Bool => Fill(_ => random.Next(TruthValues) == 1),
            _ => throw new NotSupportedException($"Input '{input.Name}' is of type {input.Type}, for which no random values are made."),
        };

        OrtValue Fill<T>(Func<int, T> draw)
            where T : unmanaged
        {
            var range = EmbeddingTables.Range(_network, input.Name)?.Rows ?? TruthValues;
            var data = new T[count];
            for (var i = 0; i < data.Length; i++)
            {
                data[i] = draw(range);
            }

            return OrtValue.CreateTensorValueFromMemory(data, shape);
        }
    }

    private int Size(int size) => size >= 0 ? size : _openSizes.ByName.TryGetValue(_network.Graph.Symbols.Name(size), out var named) ? named
        : size == TensorInfo.Batch ? _rows : _openSizes.Otherwise;
}
