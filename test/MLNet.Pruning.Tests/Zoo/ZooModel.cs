using System.Text.Json;

namespace MLNet.Pruning.Tests;

/// <summary>An ONNX file of the <see cref="Zoo"/> with what its description tells.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">The file.</param>
/// <param name="Inputs">What it reads.</param>
/// <param name="Outputs">Names of what it computes.</param>
/// <param name="Runs">Whether ONNX Runtime's result is to be compared.</param>
internal sealed record ZooModel(string Name, string Path, IReadOnlyList<ZooInput> Inputs, IReadOnlyList<string> Outputs, bool Runs)
{
    /// <summary>Rows of the batches that a file reads which leaves their number open.</summary>
    public const int Batch = 3;

    public static ZooModel Read(JsonElement model, string folder) => new(
        model.GetProperty("name").GetString()!,
        System.IO.Path.Combine(folder, model.GetProperty("name").GetString() + ".onnx"),
        [.. model.GetProperty("inputs").EnumerateArray().Select(ZooInput.Read)],
        [.. model.GetProperty("outputs").EnumerateArray().Select(output => output.GetProperty("name").GetString()!)],
        !model.TryGetProperty("runs", out var runs) || runs.GetBoolean());

    /// <summary>Values for every input, drawn by the seed: normal, or uniform ids.</summary>
    public IReadOnlyList<ZooValues> Draw(int seed, int batch = Batch)
    {
        var random = new Random(seed);
        return [.. Inputs.Select(input => input.Draw(random, batch))];
    }

    public override string ToString() => Name;
}

/// <summary>An input of a <see cref="ZooModel"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Sizes by dimension: "N" for the batch, "T" for an open number of steps.</param>
/// <param name="Type">The ONNX standard's name of its type, in small letters.</param>
/// <param name="Range">Lowest id and the one after the highest; empty for floats.</param>
internal sealed record ZooInput(string Name, string[] Shape, string Type, int[] Range)
{
    private const int Steps = 14;

    public static ZooInput Read(JsonElement input) => new(
        input.GetProperty("name").GetString()!,
        [.. input.GetProperty("shape").EnumerateArray().Select(size => size.ToString())],
        input.GetProperty("type").GetString()!,
        input.TryGetProperty("range", out var range) ? [.. range.EnumerateArray().Select(bound => bound.GetInt32())] : []);

    public ZooValues Draw(Random random, int batch)
    {
        int[] shape = [.. Shape.Select(size => size switch { "N" => batch, "T" => Steps, _ => int.Parse(size) })];
        var values = new float[shape.Aggregate(1, (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Range.Length > 0 ? random.Next(Range[0], Range[1])
                : (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return new(this, shape, values);
    }
}

/// <summary>Values of an input, whole numbers for ids.</summary>
internal sealed record ZooValues(ZooInput Input, int[] Shape, float[] Values);
