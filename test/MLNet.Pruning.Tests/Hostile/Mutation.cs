using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>A file with one to three things wrong in it: as bytes, or in what the messages say.</summary>
internal sealed class Mutation(Random random, IReadOnlyList<string> operators)
{
    private static readonly long[] s_numbers = [0, 1, -1, 2, 3, -2, 4, 7, 8, 16, 64, 99, -99, 1000, 65_536, int.MaxValue, int.MinValue, (1L << 31),
        (1L << 32) + 1, (1L << 40), long.MaxValue, long.MinValue, -(1L << 40) - 1];

    public byte[] Of(ModelProto original)
    {
        if (random.Next(10) == 0)
        {
            return Bytes(original.ToByteArray());
        }

        var model = original.Clone();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            Change(model);
        }

        return model.ToByteArray();
    }

    private byte[] Bytes(byte[] bytes)
    {
        for (var i = random.Next(1, 5); i > 0 && bytes.Length > 0; i--)
        {
            var place = random.Next(bytes.Length);
            bytes[place] = (byte)(random.Next(2) == 0 ? random.Next(256) : bytes[place] ^ (1 << random.Next(8)));
        }

        return random.Next(8) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
    }

    private void Change(ModelProto model)
    {
        var graph = model.Graph;
        switch (random.Next(20))
        {
            case 0 when Attribute(graph) is { } attribute:
                Retype(attribute);
                break;
            case 1 or 2 when Attribute(graph) is { } attribute:
                Renumber(attribute);
                break;
            case 3 when Node(graph) is { } node:
                Names(node.Input, Tensors(graph));
                break;
            case 4 when Node(graph) is { } node:
                Names(node.Output, Tensors(graph));
                break;
            case 5 or 6 when Pick(graph.Initializer) is { } tensor:
                Reshape(tensor);
                break;
            case 7 or 8 when Pick([.. graph.Input, .. graph.Output, .. graph.ValueInfo]) is { } info:
                Reshape(info);
                break;
            case 9 or 10 when Node(graph) is { } node:
                node.OpType = operators[random.Next(operators.Count)];
                break;
            case 11:
                model.MetadataProps.Add(new StringStringEntryProto { Key = "MLNet.Pruning.kept", Value = Kept(graph) });
                break;
            case 12 when Node(graph) is { } node:
                graph.Node.Remove(node);
                break;
            case 13 when Node(graph) is { } node:
                var copy = node.Clone();
                copy.Output.Clear();
                copy.Output.AddRange(node.Output.Select(output => output + "_copy"));
                graph.Node.Insert(random.Next(graph.Node.Count + 1), copy);
                break;
            case 14 when Pick(graph.Initializer) is { } tensor:
                tensor.DataType = random.Next(24);
                break;
            case 15 or 16 when Numbers(graph) is { } tensor:
                Renumber(tensor);
                break;
            case 17:
                model.OpsetImport[0].Version = random.Next(6, 27);
                break;
            case 18:
                Outputs(graph);
                break;
            case 19 when Node(graph) is { } node:
                var attributes = graph.Node.SelectMany(other => other.Attribute).ToArray();
                if (attributes.Length > 0 && random.Next(3) > 0)
                {
                    node.Attribute.Add(attributes[random.Next(attributes.Length)].Clone());
                }
                else if (node.Attribute.Count > 0)
                {
                    node.Attribute.RemoveAt(random.Next(node.Attribute.Count));
                }

                break;
        }
    }

    private void Retype(AttributeProto attribute)
    {
        var name = attribute.Name;
        var other = random.Next(6) switch
        {
            0 => new AttributeProto { Type = AttributeType.Int, I = Number() },
            1 => new AttributeProto { Type = AttributeType.Float, F = Float() },
            2 => new AttributeProto { Type = AttributeType.String, S = ByteString.CopyFromUtf8("text") },
            3 => new AttributeProto { Type = AttributeType.Ints, Ints = { Number(), Number() } },
            4 => new AttributeProto { Type = AttributeType.Floats, Floats = { Float() } },
            _ => new AttributeProto { Type = AttributeType.Tensor, T = new TensorProto { DataType = 1, Dims = { 1 }, FloatData = { Float() } } },
        };
        attribute.ClearI();
        attribute.ClearF();
        attribute.ClearS();
        attribute.Ints.Clear();
        attribute.Floats.Clear();
        (attribute.T, attribute.G) = (null, null);
        attribute.MergeFrom(other);
        attribute.Name = name;
    }

    private void Renumber(AttributeProto attribute)
    {
        switch (attribute.Type)
        {
            case AttributeType.Int:
                attribute.I = Number();
                break;
            case AttributeType.Float:
                attribute.F = Float();
                break;
            case AttributeType.String:
                attribute.S = ByteString.CopyFromUtf8(Pick(["SAME_UPPER", "SAME_LOWER", "VALID", "reverse", "bidirectional", "CRD", "reflect", "nearest",
                    "tanh", "", "text"])!);
                break;
            case AttributeType.Ints when attribute.Ints.Count > 0 && random.Next(3) > 0:
                attribute.Ints[random.Next(attribute.Ints.Count)] = Number();
                break;
            case AttributeType.Ints when attribute.Ints.Count > 0 && random.Next(2) > 0:
                attribute.Ints.RemoveAt(random.Next(attribute.Ints.Count));
                break;
            case AttributeType.Ints:
                attribute.Ints.Add(Number());
                break;
            case AttributeType.Tensor when attribute.T is { } tensor:
                Renumber(tensor);
                break;
        }
    }

    private void Renumber(TensorProto tensor)
    {
        if (tensor.DataType == (int)DataType.Int64 && tensor.RawData.Length >= sizeof(long))
        {
            var bytes = tensor.RawData.ToByteArray();
            BitConverter.GetBytes(Number()).CopyTo(bytes, random.Next(bytes.Length / sizeof(long)) * sizeof(long));
            tensor.RawData = ByteString.CopyFrom(bytes);
        }
        else if (tensor.Int64Data.Count > 0)
        {
            tensor.Int64Data[random.Next(tensor.Int64Data.Count)] = Number();
        }
        else
        {
            Reshape(tensor);
        }
    }

    private void Reshape(TensorProto tensor)
    {
        var dims = tensor.Dims;
        switch (random.Next(7))
        {
            case 0 when dims.Count > 1:
                var (a, b) = (random.Next(dims.Count), random.Next(dims.Count));
                (dims[a], dims[b]) = (dims[b], dims[a]);
                break;
            case 1:
                dims.Insert(random.Next(dims.Count + 1), 1);
                break;
            case 2 when dims.Contains(1):
                dims.Remove(1);
                break;
            case 3 when dims.Count > 1:
                (dims[0], dims[1]) = (dims[0] * dims[1], 1);
                break;
            case 4 when dims.Count > 0:
                dims[random.Next(dims.Count)] = Number();
                break;
            default:
                // Other sizes, and as many values.
                if (dims.Count > 0)
                {
                    dims[random.Next(dims.Count)] = random.Next(5);
                }

                var count = dims.Aggregate(1L, (product, size) => product * size);
                if (count is >= 0 and < 10_000 && tensor.DataType is (int)DataType.Float or (int)DataType.Int64)
                {
                    ClearValues(tensor);
                    tensor.RawData = ByteString.CopyFrom(new byte[count * (tensor.DataType == (int)DataType.Float ? sizeof(float) : sizeof(long))]);
                }

                break;
        }
    }

    private static void ClearValues(TensorProto tensor)
    {
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.Int64Data.Clear();
    }

    private void Reshape(ValueInfoProto info)
    {
        var dims = info.Type?.TensorType?.Shape?.Dim;
        switch (random.Next(7))
        {
            case 0 when info.Type?.TensorType is { } type:
                type.ElemType = random.Next(24);
                break;
            case 1:
                info.Type = null;
                break;
            case 2 when info.Type?.TensorType is { } type:
                type.Shape = null;
                break;
            case 3 when dims is not null:
                dims.Insert(random.Next(dims.Count + 1), new TensorShapeProto.Types.Dimension { DimValue = random.Next(4) });
                break;
            case 4 when dims is { Count: > 0 }:
                dims.RemoveAt(random.Next(dims.Count));
                break;
            default:
                if (dims is { Count: > 0 })
                {
                    dims[random.Next(dims.Count)] = random.Next(3) == 0 ? new() { DimParam = Pick(["N", "batch", "T", "d2", ""])! }
                        : new() { DimValue = random.Next(3) == 0 ? Number() : random.Next(10) };
                }

                break;
        }
    }

    private void Names(IList<string> names, IReadOnlyList<string> others)
    {
        switch (random.Next(5))
        {
            case 0 when names.Count > 0:
                names.RemoveAt(random.Next(names.Count));
                break;
            case 1 when names.Count > 0:
                names.Add(names[random.Next(names.Count)]);
                break;
            case 2 when names.Count > 0:
                names[random.Next(names.Count)] = "";
                break;
            default:
                if (names.Count > 0)
                {
                    names[random.Next(names.Count)] = others[random.Next(others.Count)];
                }

                break;
        }
    }

    private void Outputs(GraphProto graph)
    {
        var name = Pick([.. Tensors(graph)])!;
        switch (random.Next(4))
        {
            case 0 when graph.Output.Count > 0:
                graph.Output.RemoveAt(random.Next(graph.Output.Count));
                break;
            case 1 when graph.Input.Count > 0:
                graph.Input.RemoveAt(random.Next(graph.Input.Count));
                break;
            case 2:
                graph.Input.Add(new ValueInfoProto { Name = name });
                break;
            default:
                graph.Output.Add(new ValueInfoProto { Name = name });
                break;
        }
    }

    private string Kept(GraphProto graph)
    {
        var name = Pick(graph.Initializer)?.Name ?? "w";
        var tensor = graph.Initializer.FirstOrDefault(tensor => tensor.Name == name);
        var shape = random.Next(4) switch { 0 => "", 1 => "null", 2 => $"[{Number() % 100}]",
            _ => $"[{string.Join(",", tensor?.Dims.Select(size => size + 1) ?? [])}]" };
        var range = Pick(["0-1", "9-1", "-", "a", "0-16777215,0-16777215", "0,0", "3,1", "", "0-" + Math.Max(0, (tensor?.Dims.FirstOrDefault() ?? 1) - 1)]);
        return random.Next(6) switch
        {
            0 => "null",
            1 => $"{{\"{name}\": null}}",
            2 => "{",
            3 => $"{{\"{name}\": {{\"shape\": [], \"kept\": null, \"masked\": true}}}}",
            _ => $"{{\"{name}\": {{{(shape.Length > 0 ? $"\"shape\": {shape}," : "")} \"kept\": {{\"{random.Next(-1, 3)}\": \"{range}\"}}, \"masked\": "
                + $"true}}}}",
        };
    }

    private static string[] Tensors(GraphProto graph)
        => [.. graph.Node.SelectMany(node => node.Output).Concat(graph.Input.Select(input => input.Name))
            .Concat(graph.Initializer.Select(tensor => tensor.Name)).Append("nothing")];

    /// <summary>Integers of the graph: targets of reshapes, axes, indices.</summary>
    private TensorProto? Numbers(GraphProto graph) => Pick([.. graph.Initializer
        .Concat(graph.Node.SelectMany(node => node.Attribute).Select(attribute => attribute.T))
        .Where(tensor => tensor?.DataType == (int)DataType.Int64)]);

    private AttributeProto? Attribute(GraphProto graph) => Pick([.. graph.Node.SelectMany(node => node.Attribute)]);

    private NodeProto? Node(GraphProto graph) => Pick(graph.Node);

    private T? Pick<T>(IReadOnlyList<T> from) => from.Count == 0 ? default : from[random.Next(from.Count)];

    private long Number() => random.Next(3) == 0 ? random.Next(-4, 20) : s_numbers[random.Next(s_numbers.Length)];

    private float Float() => random.Next(5) switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => 0, 3 => -1, _ => random.NextSingle() };
}
