using MLNet.Pruning.Networks.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>
/// Between floats and integers with a scale and a zero point. Nothing is trained through them: rounding has no gradient, but for the operator that stands in
/// for them while a network is trained.
/// </summary>
internal static class QuantizationOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } = [new("QuantizeLinear", Quantize),
        new("DynamicQuantizeLinear", QuantizeDynamically),
        new("DequantizeLinear", Dequantize), new(Node.FakeQuantize, Fake), new(Node.FakeCodebook, FakeCodebook)];

    private static Action<Pass> Quantize(OperatorContext context)
    {
        var type = context.Network.Tensors[context.Node.Outputs[0]].Type;
        var (lowest, highest) = type switch
        {
            TensorType.UInt8 => ((int)byte.MinValue, (int)byte.MaxValue),
            TensorType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            TensorType.UInt16 => (ushort.MinValue, ushort.MaxValue),
            TensorType.Int16 => (short.MinValue, short.MaxValue),
            _ => throw context.Refuse($"makes values of the type {type}"),
        };
        var (x, scale, zero, shape) = (context.Input(0), context.Input(1), context.Optional(2), Shape(context));
        Scalar one = 1, least = lowest, most = highest;
        var integers = OperatorContext.ElementType(type)!.Value;
        return context.ReturnsComposed(pass =>
        {
            var rounded = (pass[x] / pass[scale].reshape(shape)).round();
            return (zero == OperatorContext.Absent ? rounded : rounded.add(pass[zero].to(ScalarType.Float32).reshape(shape), one)).clamp(least, most)
                .to(integers);
        });
    }

    /// <summary>To bytes that span the values and zero (ONNX's DynamicQuantizeLinear).</summary>
    private static Action<Pass> QuantizeDynamically(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar zero = 0f, one = 1f, least = (float)byte.MinValue, most = (float)byte.MaxValue;
        return context.ReturnsAll(pass =>
        {
            using var scope = NewDisposeScope();
            var low = pass[x].min().clamp_max(zero);
            var step = (pass[x].max().clamp_min(zero) - low) / most;
            var scale = step.where(step.ne(zero), ones_like(step));
            var point = (-low / scale).round().clamp(least, most);
            Tensor[] made = [(pass[x] / scale).round().add(point, one).clamp(least, most).to(ScalarType.Byte), scale, point.to(ScalarType.Byte)];
            return Array.ConvertAll(made, one => one.MoveToOuterDisposeScope());
        });
    }

    private static Action<Pass> Dequantize(OperatorContext context)
    {
        context.Require(context.Node.Int("block_size", 0) == 0, "has a scale for each block");
        var (x, scale, zero, shape) = (context.Input(0), context.Input(1), context.Optional(2), Shape(context));
        return context.ReturnsComposed(pass =>
        {
            var floats = pass[x].to(ScalarType.Float32);
            return (zero == OperatorContext.Absent ? floats : floats - pass[zero].to(ScalarType.Float32).reshape(shape)) * pass[scale].reshape(shape);
        });
    }

    /// <summary>
    /// Rounds, and passes gradients as if it did not where nothing is clipped; those of the scale are what a step more or less would change (Esser et al. 2020,
    /// "Learned Step Size Quantization").
    /// </summary>
    private static Action<Pass> Fake(OperatorContext context)
    {
        var (x, scale, change, shape) = (context.Input(0), context.Input(1), context.Input(2), Shape(context));
        Scalar one = 1, lowest = context.Node.Int("lowest", 0), highest = context.Node.Int("highest", byte.MaxValue);
        return context.ReturnsComposed(pass =>
        {
            var step = (pass[scale] * pass[change].exp()).reshape(shape);
            return Rounded((pass[x] / step).clamp(lowest, highest), one) * step;
        });
    }

    /// <summary>The nearest integers, with gradients as if nothing were rounded.</summary>
    public static Tensor Rounded(Tensor exact, Scalar one) => exact.add((exact.round() - exact).detach(), one);

    /// <summary>
    /// Takes the nearest of zero and some values, or what with the price of its bits costs least, and passes gradients as if it did not; each value has the sum
    /// of the gradients of those that it stands for (Han et al. 2016, "Deep Compression"). Where codes are given, it takes the vectors that these say.
    /// </summary>
    private static Action<Pass> FakeCodebook(OperatorContext context)
    {
        var (x, values, codes, price) = (context.Input(0), context.Input(1), context.Optional(2), context.Node.Float("price", 0));
        Scalar one = 1;
        return context.ReturnsComposed(pass =>
        {
            if (codes != OperatorContext.Absent)
            {
                return pass[values].index_select(0, pass[codes]).reshape(pass[x].shape).add(pass[x] - pass[x].detach(), one);
            }

            var others = pass[values];
            var all = cat([others.new_zeros(1), others]);
            var choices = Choices(pass[x].detach().contiguous(), others.detach().cpu().data<float>().ToArray(), price);
            var rounded = all.index_select(0, choices).reshape(pass[x].shape);
            return rounded.add(pass[x] - pass[x].detach(), one);
        });
    }

    /// <summary>For each number its place among zero and the values.</summary>
    private static Tensor Choices(Tensor numbers, float[] values, double price)
    {
        using Scalar zero = 0f, first = 0L;
        var zeros = numbers.eq(zero).flatten();
        Tensor Choose(Codebook book) => tensor(book.Places.Select(place => (long)place).ToArray(), device: numbers.device)
            .index_select(0, bucketize(numbers, tensor(book.Breaks, device: numbers.device)).flatten()).masked_fill(zeros, first);
        var nearest = Choose(Codebook.Of(values));
        long[] Counts() => nearest.bincount(null, values.Length + 1).cpu().data<long>().ToArray();
        return price == 0 ? nearest : Choose(Codebook.Of(values, Counts(), price));
    }

    /// <summary>The shape in which scales go with the tensor.</summary>
    private static long[] Shape(OperatorContext context)
    {
        var (tensor, scales) = (context.Shape(0), context.Shape(1));
        context.Require(!tensor.IsDefault && !scales.IsDefault && scales.Length <= 1, "has scales of more than one dimension, or of unknown shape");
        if (scales is [] or [1])
        {
            return [1];
        }

        var axis = (int)(context.Node.Int("axis", 1) is var a && a < 0 ? a + tensor.Length : a);
        return [.. tensor.Select((_, d) => d == axis ? scales[0] : 1L)];
    }
}
