using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Changes each weight by itself; layers compute with floats.</summary>
internal abstract class WeightOnlyQuantizer : Quantizer
{
    internal override Network Run(Network network, QuantizationStep step)
    {
        var changed = FloatWeights.Of(network, this, step).ToDictionary(weight => weight.Weight.Name, weight => Round(weight.Layer, weight.Weight));
        // A file holds them in another form than the one that was read.
        return new Network(network.Parts with
        {
            Parameters = [.. network.Parameters.Select(parameter => changed.GetValueOrDefault(parameter.Name, parameter))],
            AsRead = false,
        });
    }

    /// <summary>A weight in the other form.</summary>
    protected abstract Parameter Round(LayerInfo layer, Parameter weight);
}

/// <summary>Three values.</summary>
internal sealed class TernaryQuantizer : WeightOnlyQuantizer
{
    public override string ToString() => nameof(Ternary);

    protected override Parameter Round(LayerInfo layer, Parameter weight) => WeightGrids.Signs(weight, -1, Scale);

    /// <summary>The best of all thresholds: with the k largest magnitudes kept, the error falls by their sum squared over k.</summary>
    private static (double Scale, double Zero) Scale(float[] values)
    {
        var magnitudes = Array.ConvertAll(values, MathF.Abs);
        Array.Sort(magnitudes);
        var (sum, gain, best) = (0.0, 0.0, (0.0, 0.0));
        for (var i = magnitudes.Length - 1; i >= 0 && magnitudes[i] > 0; i--)
        {
            sum += magnitudes[i];
            var kept = magnitudes.Length - i;
            // Equal magnitudes go together: a threshold cannot part them.
            if (sum * sum / kept > gain && (i == 0 || magnitudes[i - 1] < magnitudes[i]))
            {
                (gain, best) = (sum * sum / kept, (sum / kept, i == 0 ? 0 : magnitudes[i - 1]));
            }
        }

        return best;
    }
}

/// <summary>Two values a channel.</summary>
internal sealed class BinaryQuantizer : WeightOnlyQuantizer
{
    public override string ToString() => nameof(Binary);

    protected override Parameter Round(LayerInfo layer, Parameter weight)
        => WeightGrids.Signs(weight, layer.Axes(weight).Output, values => (values.Average(value => Math.Abs((double)value)), -1));
}

/// <summary>Shorter floats.</summary>
internal sealed class Float16Quantizer : WeightOnlyQuantizer
{
    public override string ToString() => nameof(Float16);

    protected override Parameter Round(LayerInfo layer, Parameter weight)
    {
        var rounded = Array.ConvertAll(weight.Array, value => (float)(Half)value);
        return Array.FindIndex(rounded, float.IsInfinity) is >= 0 and var i
            ? throw new ArgumentException($"Value {i} of '{weight.Name}' is {weight.Values[i]}; 16-bit floats reach to {Half.MaxValue}.")
            : weight.WithValues(weight.Shape, rounded).Held(TensorType.Float16);
    }
}
