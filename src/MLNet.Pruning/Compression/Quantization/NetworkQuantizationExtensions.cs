using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

/// <summary>Quantisation of a network outside a pipeline.</summary>
public static class NetworkQuantizationExtensions
{
    /// <summary>Rounds the network's weights and, where the quantiser says so, the values between its layers.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="quantizer">To what.</param>
    /// <param name="rows">Calibration rows, one after another, each with the values of all inputs; for static quantisers.</param>
    /// <param name="range">Range of the values between layers; by default <see cref="QuantizationRange.MinMax"/>.</param>
    /// <param name="rounding">Which integers weights become; by default <see cref="WeightRounding.Nearest"/>.</param>
    /// <param name="target">Where it is to run; by default <see cref="QuantizationTarget.Any"/>.</param>
    /// <returns>A network whose weights lie on the grid of their integers, with the nodes that round what lies between layers.</returns>
    /// <exception cref="ArgumentException">Nothing can be quantised so, or the rows are no multiple of a row's values.</exception>
    /// <exception cref="InvalidOperationException">The quantiser needs rows and there are none, or they make values that are not finite.</exception>
    public static Network Quantize(this Network network, Quantizer quantizer, ReadOnlySpan<float> rows = default, QuantizationRange? range = null,
        WeightRounding? rounding = null, QuantizationTarget? target = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(quantizer);
        var data = rows.IsEmpty ? null : Data(network, rows);
        return quantizer.Run(network, new()
        {
            Range = range ?? QuantizationRange.MinMax,
            Rounding = rounding ?? WeightRounding.Nearest,
            Target = target ?? QuantizationTarget.Any,
            Rows = data,
            Count = int.MaxValue,
            Calibration = data is null ? null : () => Calibration(data),
        });
    }

    private static TrainingData Data(Network network, ReadOnlySpan<float> rows)
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
    private static CalibrationData Calibration(TrainingData data)
    {
        TorchRuntime.Require();
        return new(data, LearningTask.Regression, Loss.MeanSquaredError, TorchSharp.torch.CPU, 64, 0, default);
    }
}
