using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>
/// A product with a weight of a few bits that has a scale for each block of inputs, as ONNX Runtime's MatMulNBits holds it: output by output and block by
/// block, unsigned, several integers a byte with the first in the lowest bits.
/// </summary>
/// <param name="Weight">The weight.</param>
/// <param name="Grid">Its integers.</param>
internal sealed record BlockProduct(Parameter Weight, QuantizationGrid Grid)
{
    public const string Operator = "MatMulNBits";

    public const string Domain = "com.microsoft";

    /// <summary>Where its bias is.</summary>
    public const int Bias = 5;

    /// <summary>Products computed with 8-bit integers: the one level at which the kernel is faster than floats.</summary>
    private const long AccuracyLevel = 4;

    private int Inputs => Weight.Shape[Grid.Axis];

    private int Outputs => Weight.Shape[1 - Grid.Axis];

    private int Blocks => (Inputs + Grid.Block - 1) / Grid.Block;

    private int Bits => OnnxTensorSize.Bits((DataType)Grid.Type, Weight.Name);

    /// <summary>What is added to an integer so that it is none below 0.</summary>
    private long Shift => Grid.Type is TensorType.Int8 or TensorType.Int4 ? 1L << (Bits - 1) : 0;

    public IEnumerable<(string Name, object Value)> Attributes => [("K", (long)Inputs), ("N", (long)Outputs), ("bits", (long)Bits),
        ("block_size", (long)Grid.Block), ("accuracy_level", AccuracyLevel)];

    public static BlockProduct Of(Parameter weight) => new(weight, weight.Grid!);

    /// <summary>Whether the operator can hold a weight.</summary>
    public static bool Holds(Parameter weight) => weight is
    {
        Grid: { Block: >= 16, Type: TensorType.Int8 or TensorType.UInt8 or TensorType.Int4 or TensorType.UInt4 },
        Shape.Length: 2,
    };

    /// <summary>The integers, [outputs, blocks, bytes of a block].</summary>
    public TensorProto Integers()
    {
        var integers = Grid.Quantize(Weight.Values, Weight.Shape)!;
        var bytes = new byte[Outputs, Blocks, Grid.Block * Bits / 8];
        for (var n = 0; n < Outputs; n++)
        {
            for (var k = 0; k < Blocks * Grid.Block; k++)
            {
                // What a last block has too many is never read; its zeros are as good as any.
                var value = k < Inputs ? integers[Grid.Axis == 0 ? k * Outputs + n : n * Inputs + k] : 0;
                var (place, shift) = Math.DivRem(k % Grid.Block * Bits, 8);
                bytes[n, k / Grid.Block, place] |= (byte)((value + Shift) << shift);
            }
        }

        return Bytes(bytes, bytes.GetLength(0), bytes.GetLength(1), bytes.GetLength(2));
    }

    /// <summary>The scales, output by output.</summary>
    public TensorProto Scales() => OnnxTensor.FromFloats("", [Outputs * Blocks], InOrder([.. Grid.Scales]));

    /// <summary>The zero points, output by output; null where they are in the middle, as the operator has it by default.</summary>
    public TensorProto? ZeroPoints()
    {
        if (Grid.ZeroPoints.All(zero => zero + Shift == 1L << (Bits - 1)))
        {
            return null;
        }

        var (zeros, row) = (InOrder([.. Grid.ZeroPoints]), (Blocks * Bits + 7) / 8);
        var bytes = new byte[Outputs, row];
        for (var i = 0; i < zeros.Length; i++)
        {
            var (place, shift) = Math.DivRem(i % Blocks * Bits, 8);
            bytes[i / Blocks, place] |= (byte)((zeros[i] + Shift) << shift);
        }

        return Bytes(bytes, bytes.Length);
    }

    /// <summary>Whether what a node of the operator reads is as it says, plain and of 4 or 8 bits.</summary>
    public static bool Fits(Node node, TensorProto integers, int scales, TensorProto? zeros)
    {
        var (bits, block, inputs, outputs) = (node.Int("bits", 4), node.Int("block_size", 0), node.Int("K", 0), node.Int("N", 0));
        if (bits is not (4 or 8) || block is < 16 or > 4096 || inputs is <= 0 or > int.MaxValue || outputs <= 0 || outputs > Array.MaxLength / inputs
            || node.Int("weight_prepacked", 0) != 0 || node.Input(4) is not null)
        {
            return false;
        }

        var blocks = (inputs + block - 1) / block;
        bool Holds(TensorProto tensor, long count) => tensor.DataType == (int)DataType.Uint8 && OnnxTensorSize.Count(tensor.Dims, tensor.Name) == count;
        return Holds(integers, outputs * blocks * (block * bits / 8)) && scales == outputs * blocks
            && (zeros is null || Holds(zeros, outputs * ((blocks * bits + 7) / 8)));
    }

    /// <summary>The weight that such a node reads, [inputs, outputs].</summary>
    /// <param name="node">The node.</param>
    /// <param name="integers">The bytes of its integers.</param>
    /// <param name="scales">Its scales.</param>
    /// <param name="zeros">The bytes of its zero points; null where it has none.</param>
    public static (float[] Values, ImmutableArray<int> Shape, QuantizationGrid Grid) Read(Node node, long[] integers, float[] scales, long[]? zeros)
    {
        var (bits, block) = ((int)node.Int("bits", 4), (int)node.Int("block_size", 0));
        var (inputs, outputs) = (node.Int("K", 0), node.Int("N", 0));
        var blocks = (inputs + block - 1) / block;
        long Unpacked(long[] bytes, long row, long i) => (bytes[row + i * bits / 8] >> (int)(i * bits % 8)) & ((1 << bits) - 1);
        ImmutableArray<int> shape = [(int)inputs, (int)outputs];
        var grid = new QuantizationGrid(bits == 4 ? TensorType.UInt4 : TensorType.UInt8,
            [.. Enumerable.Range(0, scales.Length).Select(i => scales[i % outputs * blocks + i / outputs])],
            [.. Enumerable.Range(0, scales.Length).Select(i => zeros is null ? 1L << (bits - 1)
                : Unpacked(zeros, i % outputs * ((blocks * bits + 7) / 8), i / outputs))], true, 0)
        {
            Block = block,
        };
        var values = new long[inputs * outputs];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Unpacked(integers, i % outputs * (blocks * block * bits / 8), i / outputs);
        }

        return (grid.Dequantize(values, shape), shape, grid);
    }

    private T[] InOrder<T>(T[] scales)
        => Grid.Axis == 1 ? scales : [.. Enumerable.Range(0, scales.Length).Select(i => scales[i % Blocks * Outputs + i / Blocks])];

    private static TensorProto Bytes(Array bytes, params long[] dims)
    {
        var flat = new byte[bytes.Length];
        Buffer.BlockCopy(bytes, 0, flat, 0, flat.Length);
        return OnnxTensor.FromLongs("", dims, Array.ConvertAll(flat, one => (long)one), DataType.Uint8);
    }
}
