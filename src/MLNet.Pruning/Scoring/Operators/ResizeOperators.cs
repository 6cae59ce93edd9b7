using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>
/// Resizing by nearest, linear or cubic interpolation: each is separable, so that one dimension after another is a weighted sum of
/// picked positions, whatever convention maps the new positions to the old ones.
/// </summary>
internal static class ResizeOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } = [new("Resize", Resize), new("Upsample", Resize)];

    private static Action<Pass> Resize(OperatorContext context)
    {
        var (x, node) = (context.Input(0), context.Node);
        var (mode, scales, sizes) = (node.Text("mode", "nearest"), node.Floats("scales"), node.Ints("sizes"));
        context.Require(scales.Length + sizes.Length > 0, "takes scales that are computed");
        context.Require(node.Int("antialias", 0) == 0 && node.Int("exclude_outside", 0) == 0 && node.Text("keep_aspect_ratio_policy", "stretch") == "stretch"
            && !node.Attributes.ContainsKey("axes"),
            "uses antialias, exclude_outside, keep_aspect_ratio_policy or axes");
        var place = Place(context, node.Text("coordinate_transformation_mode", "half_pixel"));
        Func<float, int, (int, float)[]> taps = mode switch
        {
            "nearest" => Nearest(context, node.Text("nearest_mode", "round_prefer_floor")),
            "linear" => Linear,
            "cubic" => Cubic(node.Float("cubic_coeff_a", -0.75f)),
            _ => throw context.Refuse($"interpolates by '{mode}'"),
        };
        // A size written down for an open dimension, such as the batch, is the one of the example it was exported with.
        var open = Enumerable.Range(0, sizes.Length).Where(axis => !context.Shape(0).IsDefault && context.Shape(0)[axis] < 0).ToHashSet();
        return context.ReturnsComposed(pass =>
        {
            var y = pass[x];
            for (var axis = 0; axis < y.dim(); axis++)
            {
                var size = (int)y.shape[axis];
                var target = sizes.Length > 0 ? (int)sizes[axis] : (int)MathF.Floor(size * scales[axis]);
                var scale = sizes.Length > 0 ? (float)target / size : scales[axis];
                y = scale == 1 || open.Contains(axis) ? y : Interpolate(y, axis,
                    [.. Enumerable.Range(0, target).Select(i => taps(place(i, scale, size, target), size))]);
            }

            return y;
        });
    }

    /// <summary>Where a new position lies among the old ones.</summary>
    private static Func<int, float, int, int, float> Place(OperatorContext context, string mode) => mode switch
    {
        "half_pixel" => (i, scale, _, _) => (i + 0.5f) / scale - 0.5f,
        "pytorch_half_pixel" => (i, scale, _, target) => target > 1 ? (i + 0.5f) / scale - 0.5f : 0,
        "asymmetric" => (i, scale, _, _) => i / scale,
        "align_corners" => (i, _, size, target) => target > 1 ? i * (size - 1f) / (target - 1) : 0,
        _ => throw context.Refuse($"places positions by '{mode}'"),
    };

    private static Func<float, int, (int, float)[]> Nearest(OperatorContext context, string mode)
    {
        Func<float, float> round = mode switch
        {
            "round_prefer_floor" => at => MathF.Ceiling(at - 0.5f),
            "round_prefer_ceil" => at => MathF.Floor(at + 0.5f),
            "floor" => MathF.Floor,
            "ceil" => MathF.Ceiling,
            _ => throw context.Refuse($"rounds positions by '{mode}'"),
        };
        return (at, size) => [((int)Math.Clamp(round(at), 0, size - 1), 1)];
    }

    private static (int, float)[] Linear(float at, int size)
    {
        at = Math.Clamp(at, 0, size - 1);
        var low = (int)at;
        return [(low, 1 - (at - low)), (Math.Min(low + 1, size - 1), at - low)];
    }

    /// <summary>Keys 1981, "Cubic convolution interpolation for digital image processing"; positions outside take the border's value.</summary>
    private static Func<float, int, (int, float)[]> Cubic(float a) => (at, size) =>
    {
        var low = (int)MathF.Floor(at);
        var t = at - low;
        float Near(float d) => ((a + 2) * d - (a + 3)) * d * d + 1;
        float Far(float d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        float[] weights = [Far(1 + t), Near(t), Near(1 - t), Far(2 - t)];
        return [.. weights.Select((weight, i) => (Math.Clamp(low - 1 + i, 0, size - 1), weight))];
    };

    /// <param name="x">The tensor.</param>
    /// <param name="axis">The dimension to resize.</param>
    /// <param name="taps">For each new position, the same number of old positions with their weights.</param>
    private static Tensor Interpolate(Tensor x, int axis, (int Place, float Weight)[][] taps)
    {
        Scalar one = 1;
        var shape = Enumerable.Repeat(1L, (int)x.dim()).ToArray();
        shape[axis] = taps.Length;
        Tensor? sum = null;
        for (var k = 0; k < taps[0].Length; k++)
        {
            var part = x.index_select(axis, tensor([.. taps.Select(tap => (long)tap[k].Place)], device: x.device));
            if (taps[0].Length > 1)
            {
                part = part * tensor([.. taps.Select(tap => tap[k].Weight)], shape, x.dtype, x.device);
            }

            sum = sum is null ? part : sum.add(part, one);
        }

        return sum!;
    }
}
