using System.Collections;

namespace MLNet.Pruning.Offline.Tests.Operations;

/// <summary>Compares numbers up to rounding.</summary>
internal sealed class Nearly : IComparer
{
    public static readonly Nearly Comparer = new();

    public int Compare(object? x, object? y)
    {
        double left = Convert.ToDouble(x), right = Convert.ToDouble(y);
        return Math.Abs(left - right) < 1e-6 ? 0 : left.CompareTo(right);
    }
}
