using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Calibration rows that are given outside a pipeline.</summary>
internal static class GivenRows
{
    /// <summary>Rows one after another, each with the values of all inputs.</summary>
    /// <exception cref="ArgumentException">They are no multiple of a row's values, or of the rows that the network reads at a time.</exception>
    public static TrainingData Of(Network network, ReadOnlySpan<float> rows)
    {
        var width = network.RowSize;
        if (rows.Length % width != 0)
        {
            throw new ArgumentException($"The calibration rows are {rows.Length} values; expected a multiple of the {width} values of a row.", nameof(rows));
        }

        if (network.Input.Shape is [> 0 and var atOnce, ..] && rows.Length / width % atOnce != 0)
        {
            throw new ArgumentException($"The network reads {atOnce} rows at a time, but got {rows.Length / width} calibration rows.", nameof(rows));
        }

        var data = new TrainingData(width);
        for (var start = 0; start < rows.Length; start += width)
        {
            rows.Slice(start, width).CopyTo(data.Next());
            data.Add(0);
        }

        data.Split(0, 0);
        return data;
    }

    // In a method of its own: the runtime loads TorchSharp for a method that names its types.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static CalibrationData Calibration(TrainingData data)
    {
        TorchRuntime.Require();
        return new(data, LearningTask.Regression, Loss.MeanSquaredError, TorchSharp.torch.CPU, 64, 0, default);
    }
}
