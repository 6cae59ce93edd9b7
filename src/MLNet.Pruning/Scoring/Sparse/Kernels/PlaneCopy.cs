using System.Numerics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Images between rows of values that follow one another and <see cref="Planes"/>.</summary>
internal static unsafe class PlaneCopy
{
    /// <summary>Takes the positions apart, with zeros between them.</summary>
    /// <param name="values">The positions, channel by channel and row by row.</param>
    /// <param name="target">Where they go, with room for a vector more.</param>
    /// <param name="planes">How they lie there.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(ReadOnlySpan<float> values, Span<float> target, Planes planes)
    {
        fixed (float* from = values, to = target)
        {
            var source = from;
            for (var channel = 0; channel < planes.Channels; channel++)
            {
                var plane = to + (nint)channel * planes.Stride;
                new Span<float>(plane, planes.Start).Clear();
                var place = plane + planes.Start;
                for (var row = 0; row < planes.Height; row++, source += planes.Width, place += planes.Pitch)
                {
                    CopyRow(source, place, planes.Width);
                    // Up to the next row, or over its start, which is written then.
                    for (var x = planes.Width; x < planes.Pitch; x += Vector<float>.Count)
                    {
                        Vector<float>.Zero.Store(place + x);
                    }
                }

                new Span<float>(place, planes.Stride - planes.Start - planes.Height * planes.Pitch).Clear();
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

        if (x < width && width >= Vector<float>.Count)
        {
            Vector.Load(from + width - Vector<float>.Count).Store(to + width - Vector<float>.Count);
            return;
        }

        for (; x < width; x++)
        {
            to[x] = from[x];
        }
    }
}
