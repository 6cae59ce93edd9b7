using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// The bytes of an ONNX message, each bit predicted from the bytes before it. It starts with a message in mind that names what most networks name, so that a
/// small one costs little more than what is its own.
/// </summary>
internal sealed class MessageCoder
{
    private const int Orders = 7;
    private const int HashBits = 16;
    private static readonly byte[] s_known = Known();
    private readonly BitMixer _mixer;
    private readonly uint[] _hashes = new uint[Orders];
    private readonly int[] _contexts = new int[Orders];
    private ulong _before;

    public MessageCoder()
    {
        var sizes = new int[Orders];
        Array.Fill(sizes, 1 << HashBits);
        _mixer = new(sizes, sets: 8, rate: 40);
        Code(new BitWriter(), s_known.ToArray());
    }

    /// <summary>Writes bytes, or reads as many.</summary>
    public void Code(BitCoder coder, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = Code(coder, bytes[i]);
        }
    }

    private byte Code(BitCoder coder, byte value)
    {
        for (var order = 0; order < Orders; order++)
        {
            // The last bytes, as many as the order; one order skips the one just before.
            var known = order < Orders - 1 ? _before & (1UL << 8 * order) - 1 : _before & 0xFFFF00;
            _hashes[order] = (uint)((known + (ulong)order + 1) * 0x9E3779B97F4A7C15 >> 32);
        }

        var node = 1;
        for (var place = 7; place >= 0; place--)
        {
            for (var order = 0; order < Orders; order++)
            {
                _contexts[order] = (int)((_hashes[order] + (uint)node) * 0x9E3779B1u >> 32 - HashBits);
            }

            node = node << 1 | _mixer.Code(coder, value >> place & 1, _contexts, place);
        }

        _before = _before << 8 | (byte)node;
        return (byte)node;
    }

    /// <summary>Part of the format: another message would make every file unreadable that was written with this one.</summary>
    private static byte[] Known()
    {
        var graph = new GraphProto { Name = "network" };
        var (last, at) = ("input", 0);
        foreach (var (name, operation, attributes) in new (string, string, AttributeProto[])[]
        {
            ("conv1", "Conv", [Ints("dilations", 1, 1), Int("group", 1), Ints("kernel_shape", 5, 5), Ints("pads", 0, 0, 0, 0), Ints("strides", 1, 1)]),
            ("relu1", "Relu", []),
            ("pool1", "MaxPool", [Ints("kernel_shape", 2, 2), Ints("pads", 0, 0, 0, 0), Ints("strides", 2, 2)]),
            ("conv2", "Conv", [Ints("dilations", 1, 1), Int("group", 1), Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1), Ints("strides", 1, 1)]),
            ("bn2", "BatchNormalization", [new() { Name = "epsilon", Type = AttributeType.Float, F = 1e-5f }]),
            ("relu2", "Relu", []), ("add2", "Add", []), ("pool2", "GlobalAveragePool", []),
            ("flatten1", "Flatten", [Int("axis", 1)]),
            ("fc1", "Gemm", [Int("transB", 1)]), ("relu3", "Relu", []),
            ("fc2", "Gemm", [Int("transB", 1)]), ("relu4", "Relu", []),
            ("fc3", "MatMul", []), ("softmax", "Softmax", [Int("axis", -1)]),
        })
        {
            var node = new NodeProto { Name = name, OpType = operation, Input = { last }, Output = { $"{name}.output" } };
            node.Attribute.AddRange(attributes);
            if (operation is "Conv" or "Gemm" or "MatMul")
            {
                at++;
                node.Input.AddRange([$"{name}.weight", $"{name}.bias"]);
                graph.Initializer.Add(new TensorProto { Name = $"{name}.weight", DataType = 1, Dims = { operation == "Conv" ? [20, 1, 5, 5] : [500, 800] } });
                graph.Initializer.Add(new TensorProto { Name = $"{name}.bias", DataType = 1, Dims = { at } });
            }

            graph.Node.Add(node);
            last = node.Output[0];
        }

        graph.Input.Add(Value("input", 1, 28, 28));
        graph.Output.Add(Value(last, 10));
        return new ModelProto { IrVersion = 8, ProducerName = "MLNet.Pruning", OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
            Graph = graph }.ToByteArray();
    }

    private static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    private static AttributeProto Ints(string name, params long[] values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    private static ValueInfoProto Value(string name, params int[] sizes)
    {
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        shape.Dim.AddRange(sizes.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = 1, Shape = shape } } };
    }
}
