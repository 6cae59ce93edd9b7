using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>What a network puts out for rows, beside what it should.</summary>
/// <param name="Tensor">The output, batch first.</param>
/// <param name="Found">Its values, row after row.</param>
/// <param name="Expected">As many, that they should be.</param>
/// <param name="Rows">Rows.</param>
internal sealed record OutputImages(TensorInfo Tensor, float[] Found, float[] Expected, int Rows)
{
    private const int Batch = 64;

    public int RowSize => Tensor.RowSize;

    public ReadOnlySpan<float> FoundIn(int row) => Found.AsSpan(row * RowSize, RowSize);

    public ReadOnlySpan<float> ExpectedIn(int row) => Expected.AsSpan(row * RowSize, RowSize);

    /// <summary>The mean over the rows of a number for each.</summary>
    public double Mean(Func<OutputImages, int, double> value) => Enumerable.Range(0, Rows).Average(row => value(this, row));

    /// <summary>Runs a network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="targets">What its output should be, by row.</param>
    /// <param name="cancellation">Ends the runs.</param>
    public static OutputImages Of(Network network, TrainingData rows, TrainingData targets, CancellationToken cancellation)
        => new(network.Output, Run(network, network.Output.Name, network.Output.RowSize, All(rows), rows.Rows, cancellation), All(targets), rows.Rows);

    /// <summary>The values of a tensor for rows, whole or within the network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="tensor">Name of the tensor.</param>
    /// <param name="size">Its values for one row.</param>
    /// <param name="rows">Values of the rows, one after another.</param>
    /// <param name="count">Rows.</param>
    /// <param name="cancellation">Ends the runs.</param>
    public static float[] Run(Network network, string tensor, int size, float[] rows, int count, CancellationToken cancellation)
    {
        using var probe = new TensorProbe(network, [tensor]);
        var (found, width) = (new float[checked(count * size)], network.RowSize);
        for (var start = 0; start < count; start += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var (first, part) = (start, Math.Min(Batch, count - start));
            probe.Run(rows[(start * width)..((start + part) * width)], part, (_, values) => values.CopyTo(found.AsSpan(first * size)));
        }

        return found;
    }

    private static float[] All(TrainingData data)
    {
        var values = new float[checked(data.Rows * data.Width)];
        for (var row = 0; row < data.Rows; row++)
        {
            data.Row(row)[..data.Width].CopyTo(values.AsSpan(row * data.Width));
        }

        return values;
    }
}
