using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// From a checked model to a network: functions and weights of subgraphs are moved to where they count, and a batch of one row is opened where that holds.
/// </summary>
internal static class OnnxImport
{
    /// <summary>Reads a checked model.</summary>
    /// <param name="model">The model; the values of its weights are taken out of it.</param>
    /// <param name="file">Name for messages.</param>
    /// <param name="folder">Where external data lies; null where there can be none.</param>
    /// <exception cref="OnnxFormatException">The model contradicts itself.</exception>
    public static Network Read(ModelProto model, string file, string? folder)
    {
        try
        {
            if (model.Functions.Count > 0)
            {
                FunctionInlining.Run(model, file);
                // With the attributes of the calls in the place of those of the functions.
                new OnnxGraphCheck(file, folder).Run(model.Graph);
            }

            SubgraphWeights.MoveOut(model.Graph);
            var isRewritten = IntegerProducts.Rewrite(model.Graph);
            var network = ForAnyBatch(model, file, folder);
            return isRewritten ? new(network.Parts with { AsRead = false }) : network;
        }
        catch (Exception e) when (IsContradiction(e) || (e is OnnxFormatException && !e.Message.StartsWith(file, StringComparison.Ordinal)))
        {
            throw new OnnxFormatException($"{file}: {e.Message}", e);
        }
    }

    /// <summary>What a network that contradicts itself leads to where it is looked at.</summary>
    public static bool IsContradiction(Exception e)
        => e is ArgumentException or ArithmeticException or InvalidCastException or IndexOutOfRangeException or KeyNotFoundException
            or InvalidOperationException;

    private static Network ForAnyBatch(ModelProto model, string file, string? folder)
    {
        if (!OpenSizes.Inputs(model.Graph).All(input => input.Type?.TensorType?.Shape?.Dim is [{ HasDimValue: true, DimValue: 1 }, _, ..]))
        {
            return Build(OnnxReader.Read(model, file, folder, openBatch: false)!, folder);
        }

        // Exported for one row: most such graphs hold for any number of them.
        try
        {
            if (OnnxReader.Read(model, file, folder, openBatch: true) is { } graph)
            {
                return Build(graph, folder);
            }
        }
        catch (Exception e) when (IsContradiction(e) || e is OnnxFormatException)
        {
            // A size of one row is written somewhere that does not follow the batch.
        }

        PackedNodes.Unpack(model.Graph);
        return Build(OnnxReader.Read(model, file, folder, openBatch: false)!, folder);
    }

    private static Network Build(NetworkParts graph, string? folder)
    {
        var network = new Network(graph);
        KeptMetadata.Check(network);
        Strip(graph.Model!, [.. graph.Sources.Values.Select(source => source.Name)], folder);
        return network;
    }

    /// <summary>Takes the values that parameters hold out of the model.</summary>
    private static void Strip(ModelProto model, HashSet<string> held, string? folder)
    {
        foreach (var tensor in model.Graph.Initializer)
        {
            if (held.Contains(tensor.Name))
            {
                OnnxTensors.ClearFloats(tensor);
            }
            else if (tensor.RawData.Length >= OnnxParsing.LargeValues)
            {
                // Where it is part of a model's bytes, it would keep them all; where a parameter took it over, it would change with that.
                tensor.RawData = ByteString.CopyFrom(tensor.RawData.Span);
            }
        }

        if (folder is not null)
        {
            // What is kept as it was must not point to a file beside the one it came from.
            OnnxExternalData.Embed(model, folder);
        }
    }
}
