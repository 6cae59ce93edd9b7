using System.Security.Cryptography;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// A network as an ONNX model whose bytes, and whose values apart from them, went through an arithmetic coder: four bytes that name the format and its
/// version, four of the SHA-256 of the model's bytes, the coded bits, and zeros where so few bits would stand for so many values that none would believe it.
/// </summary>
internal static class NetworkArchive
{
    private const byte Version = 1;

    // A file may stand for 64 MB of values and 1 MB of the rest, and beyond that for a thousand values and a hundred bytes for each of its own.
    private const long FreeValues = 1 << 24;
    private const long MostValues = 1000;
    private const long FreeBytes = 1 << 20;
    private const long MostBytes = 100;
    private const int HashLength = 4;

    /// <summary>Values that are fewer and no floats cost less where they are.</summary>
    private const int FewValues = 16;

    private static ReadOnlySpan<byte> Magic => "NNP"u8;

    /// <summary>Whether a file begins as one of this format does.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Magic);

    /// <param name="model">The model; stays as it is.</param>
    /// <param name="coded">Names of the tensors that other files hold as places in a list of their values.</param>
    /// <exception cref="InvalidOperationException">It has more values than a file holds.</exception>
    public static byte[] Write(ModelProto model, IReadOnlySet<string> coded)
    {
        // Values are shared between clones, not copied.
        var light = model.Clone();
        ToDense(light.Graph);
        var apart = Held(light).Where(IsApart).ToArray();
        var values = Array.ConvertAll(apart, tensor => tensor.RawData);
        foreach (var tensor in apart)
        {
            tensor.ClearRawData();
        }

        var message = light.ToByteArray();
        var coder = new BitWriter();
        coder.Number(message.Length);
        new MessageCoder().Code(coder, message.ToArray());
        var tensors = new TensorCoder(coder);
        foreach (var (tensor, bytes) in apart.Zip(values))
        {
            coder.Code(coded.Contains(tensor.Name) ? 1 : 0, Logistic.One / 8);
            tensors.Code(Patterns(bytes.Span, Bits(tensor)), tensor.Dims, Bits(tensor));
        }

        byte[] written = [.. Magic, Version, .. Hash(message, values), .. coder.End()];
        var least = Math.Max(Least(apart.Sum(Count), FreeValues, MostValues), Least(message.Length, FreeBytes, MostBytes));
        return least <= Array.MaxLength ? [.. written, .. new byte[Math.Max(0, least - written.Length)]]
            : throw new InvalidOperationException($"The network has {apart.Sum(Count)} values; a file of {Array.MaxLength} bytes holds fewer.");
    }

    /// <summary>The model, and the names of the tensors that other files hold as places in a list of their values.</summary>
    /// <exception cref="InvalidDataException">It is not what <see cref="Write"/> writes.</exception>
    public static (ModelProto Model, HashSet<string> Coded) Read(byte[] bytes)
    {
        if (!IsOne(bytes) || bytes.Length < Magic.Length + 1 + HashLength)
        {
            throw new InvalidDataException("it does not begin as a compressed network does");
        }

        if (bytes[Magic.Length] is not Version and var version)
        {
            throw new InvalidDataException($"it is of version {version}; expected {Version}");
        }

        var coder = new BitReader(bytes, Magic.Length + 1 + HashLength);
        var message = new byte[Believed(coder.Number(0), "bytes without values", FreeBytes, MostBytes, bytes)];
        new MessageCoder().Code(coder, message);
        var model = OnnxParsing.Parse(new(message));
        var apart = Held(model).Where(IsEmpty).ToArray();
        Believed(apart.Sum(Count), "values", FreeValues, MostValues, bytes);
        var (tensors, coded) = (new TensorCoder(coder), new HashSet<string>());
        foreach (var tensor in apart)
        {
            if (coder.Code(0, Logistic.One / 8) == 1)
            {
                coded.Add(tensor.Name);
            }

            var values = new uint[Count(tensor)];
            tensors.Code(values, tensor.Dims, Bits(tensor));
            tensor.RawData = Bytes(values, Bits(tensor));
        }

        if (bytes.AsSpan(coder.End).ContainsAnyExcept((byte)0))
        {
            throw new InvalidDataException($"{bytes.Length - coder.End} bytes follow what belongs to it");
        }

        return Hash(message, apart.Select(tensor => tensor.RawData)).AsSpan().SequenceEqual(bytes.AsSpan(Magic.Length + 1, HashLength)) ? (model, coded)
            : throw new InvalidDataException("it is not what was written: its SHA-256 differs");
    }

    /// <summary>What may be coded apart: tensors in nodes stay there, and small.</summary>
    private static IEnumerable<TensorProto> Held(ModelProto model) => (model.Graph ?? new()).Initializer;

    private static long Least(long count, long free, long most) => (count - free + most - 1) / most;

    private static long Believed(long count, string what, long free, long most, byte[] bytes) => count <= free + most * bytes.Length ? count
        : throw new InvalidDataException($"its {bytes.Length} bytes stand for {count} {what}; expected at most {free + most * bytes.Length}");

    private static byte[] Hash(byte[] message, IEnumerable<ByteString> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(message);
        foreach (var value in values)
        {
            hash.AppendData(value.Span);
        }

        return hash.GetHashAndReset()[..HashLength];
    }

    /// <summary>What a file kept as a list of non-zeros: the coder finds them itself.</summary>
    private static void ToDense(GraphProto graph)
    {
        foreach (var sparse in graph.SparseInitializer.Where(sparse => sparse.Values.DataType == (int)DataType.Float).ToArray())
        {
            graph.SparseInitializer.Remove(sparse);
            graph.Initializer.Add(OnnxTensor.FromFloats(sparse.Values.Name, sparse.Dims, OnnxTensor.ToFloats(sparse, null)));
        }
    }

    /// <summary>Whether values are coded by themselves: then nothing is left of them in the message.</summary>
    private static bool IsApart(TensorProto tensor) => Bits(tensor) is 8 or 16 or 32 && tensor.RawData.Length == Count(tensor) * Bits(tensor) / 8
        && (Count(tensor) >= FewValues || (tensor.RawData.Length > 0 && (DataType)tensor.DataType == DataType.Float));

    private static bool IsEmpty(TensorProto tensor) => Bits(tensor) is 8 or 16 or 32 && !OnnxTensorSize.IsExternal(tensor)
        && tensor.RawData.IsEmpty && tensor.FloatData.Count + tensor.Int32Data.Count + tensor.Uint64Data.Count == 0 && Count(tensor) > 0;

    /// <summary>Bits of what is coded as one: integers of less than a byte in bytes; none for strings.</summary>
    private static int Bits(TensorProto tensor) => OnnxTensorSize.Bits((DataType)tensor.DataType, tensor.Name) is > 0 and var bits ? Math.Max(8, bits) : 0;

    /// <summary>How many of those there are.</summary>
    private static long Count(TensorProto tensor) => (long)(OnnxTensorSize.Bytes(OnnxTensorSize.Count(tensor.Dims, tensor.Name),
        OnnxTensorSize.Bits((DataType)tensor.DataType, tensor.Name)) * 8 / Math.Max(8, Bits(tensor)));

    private static uint[] Patterns(ReadOnlySpan<byte> bytes, int bits)
    {
        var (values, size) = (new uint[bytes.Length * 8 / bits], bits / 8);
        for (var i = 0; i < bytes.Length; i++)
        {
            values[i / size] |= (uint)bytes[i] << i % size * 8;
        }

        return values;
    }

    private static ByteString Bytes(uint[] values, int bits)
    {
        var (bytes, size) = (new byte[(long)values.Length * bits / 8], bits / 8);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(values[i / size] >> i % size * 8);
        }

        return UnsafeByteOperations.UnsafeWrap(bytes);
    }
}
