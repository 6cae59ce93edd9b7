using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What inspect found.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Bytes">What it needs on disk, weights in files beside it counted.</param>
/// <param name="Opset">Version of the ONNX operators.</param>
/// <param name="Inputs">What the network reads.</param>
/// <param name="Outputs">What it computes.</param>
/// <param name="Layers">Its nodes that have parameters or multiply.</param>
/// <param name="Total">Their sum.</param>
/// <param name="LeftOut">Values that operators read which are not analysed: neither counted nor pruned.</param>
/// <param name="NotCounted">Whose multiply-adds are not counted, and why.</param>
/// <param name="Groups">The groups by the layer that makes them.</param>
/// <param name="Reasons">Why what cannot shrink cannot.</param>
/// <param name="Encodings">Bytes of each tensor by how it is encoded; only with --encodings.</param>
internal sealed record Inspection(string File, long Bytes, long? Opset, TensorSummary[] Inputs, TensorSummary[] Outputs, LayerSummary[] Layers,
    CountSummary Total, LeftOutValues[] LeftOut,
    string[] NotCounted, GroupsSummary[] Groups, string[] Reasons, EncodingSummary[]? Encodings) : Answer
{
    public static Inspection Of(FileInfo file, long bytes, Network network, bool listGroups, bool listEncodings)
    {
        var cost = NetworkCost.Of(network);
        var structure = network.Groups();
        var layers = network.Layers.ToDictionary(layer => layer.Node.Name);
        return new(file.ToString(), bytes, network.Graph.Model?.OpsetImport.FirstOrDefault(opset => opset.Domain.Length == 0)?.Version,
            [.. network.Inputs.Select(input => TensorSummary.Of(network, input))], [.. network.Outputs.Select(output => TensorSummary.Of(network, output))],
            [.. cost.Layers.Select(layer => LayerSummary.Of(network, layers[layer.Name], layer))], CountSummary.Of(cost.Total), [.. cost.LeftOut],
            [.. NetworkCost.NotCounted(cost.Layers)],
            [.. structure.Families.Select(family => GroupsSummary.Of(family, listGroups))], [.. structure.Reasons()],
            listEncodings ? [.. cost.Storage.Tensors.Append(cost.Storage.Total).Select(EncodingSummary.Of)] : null);
    }

    public override void Print(IAnsiConsole console)
    {
        console.Line($"{File}: {Cells.Number(Bytes)} bytes, opset {Opset}");
        foreach (var (what, tensors) in new[] { ("input", Inputs), ("output", Outputs) })
        {
            foreach (var tensor in tensors)
            {
                console.Line($"{what} {tensor.Name}: {tensor.Type} {Cells.Shape(tensor.Shape)}");
            }
        }

        var layers = Cells.Columns("layer", "<operator", "weight", "output", "parameters", "non-zeros", "sparsity", "multiply-adds");
        foreach (var layer in Layers)
        {
            layers.Row(layer.Name, layer.Operator, string.Join(", ", layer.WeightShapes.Select(shape => Cells.Shape(shape.Cast<object>()))),
                Cells.Shape(layer.Output),
                Cells.Number(layer.Counts.Parameters), Cells.Number(layer.Counts.NonZeros), Cells.Percent(layer.Counts.Sparsity),
                layer.Counts.MultiplyAddsFormula);
        }

        layers.Row("total", "", "", "", Cells.Number(Total.Parameters), Cells.Number(Total.NonZeros), Cells.Percent(Total.Sparsity), Total.MultiplyAddsFormula);
        console.Write(layers);
        if (LeftOutValues.Describe(LeftOut, Total.Parameters) is { } left)
        {
            console.Line(left);
        }

        foreach (var line in NotCounted)
        {
            console.Line(line);
        }

        PrintEncodings(console);
        PrintGroups(console);
        foreach (var group in Groups.SelectMany(family => (family.Groups
            ?? []).Select(group => $"{family.Layer}:{group.Number} {string.Join(" ", group.Members.Select(member => member.Slice))}")))
        {
            console.Line(group);
        }

        foreach (var reason in Reasons)
        {
            console.Line(reason);
        }
    }

    private void PrintEncodings(IAnsiConsole console)
    {
        if (Encodings is null)
        {
            return;
        }

        string[] names = [.. Encodings.SelectMany(tensor => tensor.Bytes.Keys).Distinct()];
        var table = Cells.Columns(["bytes as", .. names, "<smallest"]);
        foreach (var tensor in Encodings)
        {
            table.Row([tensor.Tensor, .. names.Select(name => tensor.Bytes.TryGetValue(name, out var bytes) ? Cells.Number(bytes) : ""), tensor.Smallest]);
        }

        console.Write(table);
    }

    private void PrintGroups(IAnsiConsole console)
    {
        if (Groups.Length == 0)
        {
            return;
        }

        var groups = Cells.Columns("groups of layer", "<kind", "groups", "<parameters that go with them");
        foreach (var family in Groups)
        {
            groups.Row(family.Layer, family.Kind, Cells.Number(family.Count), string.Join(", ", family.Parameters));
        }

        console.Write(groups);
    }
}

/// <summary>What a tensor takes.</summary>
/// <param name="Tensor">Its name, or "total".</param>
/// <param name="Smallest">The encoding that takes least.</param>
/// <param name="Bytes">By encoding.</param>
internal sealed record EncodingSummary(string Tensor, string Smallest, Dictionary<string, long> Bytes)
{
    public static EncodingSummary Of(TensorStorage tensor) => new(tensor.Name, Name(tensor.Smallest),
        tensor.Bytes.ToDictionary(pair => Name(pair.Key), pair => pair.Value));

    private static string Name(WeightEncoding encoding) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(encoding.ToString());
}

/// <summary>Figures of a layer or a network.</summary>
/// <param name="Parameters">Trained values.</param>
/// <param name="NonZeros">Those that are not zero.</param>
/// <param name="LiveNonZeros">Those that are not zero and lie on a path of non-zero weights from the input to the output.</param>
/// <param name="Sparsity">Share of the weights that are zero; null without weights.</param>
/// <param name="MultiplyAdds">For one row; null where the number depends on open sizes or cannot be determined.</param>
/// <param name="MultiplyAddsFormula">The same as text, with open sizes by name.</param>
internal sealed record CountSummary(long Parameters, long NonZeros, long LiveNonZeros, double? Sparsity, long? MultiplyAdds, string MultiplyAddsFormula)
{
    public static CountSummary Of(LayerCost cost) => new(cost.Parameters, cost.NonZeros, cost.LiveNonZeros, double.IsNaN(cost.Sparsity) ? null : cost.Sparsity,
        cost.MultiplyAdds, cost.MultiplyAddsFormula);
}

/// <summary>A layer.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Operator">Its ONNX operator.</param>
/// <param name="WeightShapes">Shape of each weight, such as filters x channels x height x width.</param>
/// <param name="Output">Shape of its first output; null where it is not known.</param>
/// <param name="Counts">Its figures.</param>
internal sealed record LayerSummary(string Name, string Operator, int[][] WeightShapes, object[]? Output, CountSummary Counts)
{
    public static LayerSummary Of(Network network, LayerInfo layer, LayerCost cost)
    {
        return new(cost.Name, cost.Operator, [.. layer.Weights.Select(weight => network[weight].Shape.ToArray())],
            layer.Outputs.IsEmpty ? null : TensorSummary.Sizes(network, layer.Output), CountSummary.Of(cost));
    }
}

/// <summary>The groups that are the width of a layer.</summary>
/// <param name="Layer">Name of the layer that makes them.</param>
/// <param name="Kind">What they are.</param>
/// <param name="Count">How many.</param>
/// <param name="Parameters">Names of the parameters that go with them.</param>
/// <param name="Groups">Each of them; only with --groups.</param>
internal sealed record GroupsSummary(string Layer, string Kind, int Count, string[] Parameters, GroupSummary[]? Groups)
{
    public static GroupsSummary Of(GroupFamily family, bool list) => new(family.Axis.Node.Name, family.Kind.ToString(), family.Groups.Length,
        [.. family.Groups[0].Members.Select(member => member.Parameter).Distinct()],
        list ? [.. family.Groups.Select(group => new GroupSummary(group.Number, [.. group.Members.Select(GroupMemberSummary.Of)]))] : null);
}

/// <summary>A group.</summary>
/// <param name="Number">Its number in its layer.</param>
/// <param name="Members">What goes with it.</param>
internal sealed record GroupSummary(int Number, GroupMemberSummary[] Members);

/// <summary>A slice of a parameter that belongs to a group.</summary>
/// <param name="Parameter">Name of the parameter.</param>
/// <param name="Dimension">The dimension that loses indices.</param>
/// <param name="Indices">The indices that go.</param>
/// <param name="Slice">The same as "conv2.weight[:,3]".</param>
/// <param name="Reason">What the node that reads the parameter has to do with it.</param>
internal sealed record GroupMemberSummary(string Parameter, int Dimension, int[] Indices, string Slice, string Reason)
{
    public static GroupMemberSummary Of(GroupMember member) => new(member.Parameter, member.Dimension, [.. member.Indices], member.ToString(), member.Reason);
}
