using System.Numerics.Tensors;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>The scales and zero points of tensors between layers, from the values that calibration rows give them.</summary>
internal static class ActivationRanges
{
    private const int Levels = byte.MaxValue + 1;

    /// <exception cref="InvalidOperationException">There are no rows, or a value is not finite.</exception>
    public static ImmutableDictionary<string, (float Scale, byte Zero)> Measure(Network network, IReadOnlyList<string> tensors, QuantizationStep step)
    {
        var ends = tensors.ToDictionary(tensor => tensor, _ => (Low: 0f, High: 0f));
        step.Visit(network, tensors, (tensor, values) =>
        {
            var (low, high) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
            if (!float.IsFinite(low) || !float.IsFinite(high))
            {
                throw new InvalidOperationException($"The calibration rows make a value of '{tensor}' that is {(float.IsFinite(low) ? high : low)}; expected "
                    + "finite numbers.");
            }

            ends[tensor] = (Math.Min(low, ends[tensor].Low), Math.Max(high, ends[tensor].High));
        });
        step.Warnings.AddRange(tensors.Where(tensor => ends[tensor].Low == ends[tensor].High)
            .Select(tensor => $"'{tensor}' is 0 in all calibration rows, so that its range is made up: whatever else it is on other rows is lost"));
        var histograms = tensors.ToDictionary(tensor => tensor, tensor => new Histogram(ends[tensor].Low, ends[tensor].High));
        if (step.Range != QuantizationRange.MinMax)
        {
            step.Visit(network, tensors, (tensor, values) => histograms[tensor].Add(values));
        }

        return tensors.ToImmutableDictionary(tensor => tensor, tensor => Grid(step.Range.Of(histograms[tensor], Levels, isSymmetric: false)));
    }

    private static (float Scale, byte Zero) Grid((double Low, double High) range)
    {
        var scale = WeightGrids.Scale((range.High - range.Low) / byte.MaxValue);
        return (scale, (byte)Math.Clamp(Math.Round(-range.Low / scale), byte.MinValue, byte.MaxValue));
    }
}
