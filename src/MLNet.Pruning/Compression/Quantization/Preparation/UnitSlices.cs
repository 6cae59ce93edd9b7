using System.Numerics.Tensors;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>A dimension of a parameter or tensor, and the unit that each of its indices belongs to.</summary>
/// <param name="Name">Name of the parameter or tensor.</param>
/// <param name="Dimension">Its dimension.</param>
/// <param name="Units">A unit an index.</param>
internal sealed record UnitSlices(string Name, int Dimension, int[] Units)
{
    /// <summary>Raises the largest magnitude of each unit to those of a parameter.</summary>
    public void Raise(Parameter parameter, double[] largest)
    {
        foreach (var (index, start, length) in SliceRuns.Of(parameter.Shape, Dimension))
        {
            largest[Units[index]] = Math.Max(largest[Units[index]], Math.Abs(TensorPrimitives.MaxMagnitude(parameter.Values.Slice(start, length))));
        }
    }

    /// <summary>Raises the largest magnitude of each unit to those of a tensor's values, whose last dimension this is.</summary>
    public void Raise(ReadOnlySpan<float> values, double[] largest)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var unit = Units[i % Units.Length];
            largest[unit] = Math.Max(largest[unit], Math.Abs(values[i]));
        }
    }

    /// <summary>The parameter times a factor for each unit.</summary>
    public Parameter Times(Network network, Func<int, double> factor)
    {
        var (parameter, values) = (network[Name], GC.AllocateUninitializedArray<float>(network[Name].Count, pinned: true));
        foreach (var (index, start, length) in SliceRuns.Of(parameter.Shape, Dimension))
        {
            var by = factor(Units[index]);
            for (var i = start; i < start + length; i++)
            {
                values[i] = (float)(parameter.Array[i] * by);
            }
        }

        return parameter.WithValues(values);
    }
}
