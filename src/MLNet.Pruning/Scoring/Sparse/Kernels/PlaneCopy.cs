using System.Numerics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Images between rows of values that follow one another and <see cref="Planes"/>.</summary>
internal static unsafe class PlaneCopy
{
    /// <summary>Takes the positions apart, with zeros between them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(ReadOnlySpan<float> values, Span<float> target, Planes planes)
    {
        planes.ClearMargins(target);
        var area = planes.Height * planes.Width;
        for (var channel = 0; channel < planes.Channels; channel++)
        {
            var from = values.Slice(channel * area, area);
            var to = target[(channel * planes.Stride + planes.Start)..];
            if (planes.IsCompact)
            {
                from.CopyTo(to);
                continue;
            }

            fixed (float* source = from)
            fixed (float* place = to)
            {
                for (var row = 0; row < planes.Height; row++)
                {
                    CopyRow(source + row * planes.Width, place + row * planes.Pitch, planes.Width);
                }
            }
        }
    }

    /// <summary>Puts the positions one behind another, each a stride from the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(ReadOnlySpan<float> source, Planes planes, Span<float> values, int stride)
    {
        var place = 0;
        for (var channel = 0; channel < planes.Channels; channel++)
        {
            for (var row = 0; row < planes.Height; row++)
            {
                var from = source.Slice(channel * planes.Stride + planes.Start + row * planes.Pitch, planes.Width);
                if (stride == 1)
                {
                    from.CopyTo(values[place..]);
                    place += planes.Width;
                    continue;
                }

                foreach (var value in from)
                {
                    values[place] = value;
                    place += stride;
                }
            }
        }
    }

    /// <summary>Rows of images are short: to call for each would take longer than to copy it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(float* from, float* to, int width)
    {
        var x = 0;
        for (; x <= width - Vector<float>.Count; x += Vector<float>.Count)
        {
            Vector.Load(from + x).Store(to + x);
        }

        for (; x < width; x++)
        {
            to[x] = from[x];
        }
    }
}
