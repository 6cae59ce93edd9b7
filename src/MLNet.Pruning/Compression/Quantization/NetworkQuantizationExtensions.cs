using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning;

/// <summary>Quantisation of a network outside a pipeline.</summary>
public static class NetworkQuantizationExtensions
{
    /// <summary>Rounds the network's weights and, where the quantiser says so, the values between its layers.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="quantizer">To what.</param>
    /// <param name="rows">Calibration rows, one after another, each with the values of all inputs; for static quantisers.</param>
    /// <param name="range">
    /// Range of the values between layers, of weights too where it is <see cref="QuantizationRange.Learned"/>; by default
    /// <see cref="QuantizationRange.MinMax"/>.
    /// </param>
    /// <param name="rounding">Which integers weights become; by default <see cref="WeightRounding.Nearest"/>.</param>
    /// <param name="target">Where it is to run; by default <see cref="QuantizationTarget.Any"/>.</param>
    /// <param name="preparation">What is done to the network first; by default nothing.</param>
    /// <returns>A network whose weights lie on the grid of their integers, with the nodes that round what lies between layers.</returns>
    /// <exception cref="ArgumentException">Nothing can be quantised or prepared so, or the rows are no multiple of a row's values.</exception>
    /// <exception cref="InvalidOperationException">The quantiser needs rows and there are none, or they make values that are not finite.</exception>
    /// <exception cref="NotSupportedException">The network cannot be run on the rows.</exception>
    public static Network Quantize(this Network network, Quantizer quantizer, ReadOnlySpan<float> rows = default, QuantizationRange? range = null,
        WeightRounding? rounding = null, QuantizationTarget? target = null, QuantizationPreparation? preparation = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(quantizer);
        var data = rows.IsEmpty ? null : GivenRows.Of(network, rows);
        return quantizer.Quantize(network, new()
        {
            Range = range ?? QuantizationRange.MinMax,
            Rounding = rounding ?? WeightRounding.Nearest,
            Target = target ?? QuantizationTarget.Any,
            Preparation = preparation,
            Rows = data,
            Count = int.MaxValue,
            Calibration = data is null ? null : () => GivenRows.Calibration(data),
        });
    }
}
