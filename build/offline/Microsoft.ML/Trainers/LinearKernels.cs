using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>Products of feature vectors with weights. Training accumulates in double precision, scoring in single.</summary>
internal static class LinearKernels
{
    public static float Dot(ReadOnlySpan<float> weights, in VBuffer<float> features)
    {
        var values = features.GetValues();
        if (!features.IsDense)
        {
            var indices = features.GetIndices();
            float sparse = 0;
            for (int k = 0; k < values.Length; k++)
            {
                sparse += weights[indices[k]] * values[k];
            }

            return sparse;
        }

        var sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            sum += new Vector<float>(weights[i..]) * new Vector<float>(values[i..]);
        }

        float total = Vector.Sum(sum);
        for (; i < values.Length; i++)
        {
            total += weights[i] * values[i];
        }

        return total;
    }

    public static double Dot(ReadOnlySpan<double> weights, in VBuffer<float> features)
    {
        var values = features.GetValues();
        if (!features.IsDense)
        {
            var indices = features.GetIndices();
            double sparse = 0;
            for (int k = 0; k < values.Length; k++)
            {
                sparse += weights[indices[k]] * values[k];
            }

            return sparse;
        }

        Vector<double> low = default, high = default;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var first, out var second);
            low += first * new Vector<double>(weights[i..]);
            high += second * new Vector<double>(weights[(i + Vector<double>.Count)..]);
        }

        double total = Vector.Sum(low + high);
        for (; i < values.Length; i++)
        {
            total += weights[i] * values[i];
        }

        return total;
    }

    public static void AddMultiple(Span<double> target, double factor, in VBuffer<float> features)
    {
        var values = features.GetValues();
        if (!features.IsDense)
        {
            var indices = features.GetIndices();
            for (int k = 0; k < values.Length; k++)
            {
                target[indices[k]] += factor * values[k];
            }

            return;
        }

        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var first, out var second);
            var low = target[i..];
            var high = target[(i + Vector<double>.Count)..];
            (new Vector<double>(low) + factor * first).CopyTo(low);
            (new Vector<double>(high) + factor * second).CopyTo(high);
        }

        for (; i < values.Length; i++)
        {
            target[i] += factor * values[i];
        }
    }

    public static double NormSquared(in VBuffer<float> features)
    {
        double sum = 0;
        foreach (float value in features.GetValues())
        {
            sum += (double)value * value;
        }

        return sum;
    }
}
