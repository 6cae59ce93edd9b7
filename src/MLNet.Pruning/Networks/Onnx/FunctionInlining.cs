using Google.Protobuf.Collections;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Puts the body of every model-local function in the place of its calls, as newer PyTorch exporters write them, so that what lies in
/// functions is analysed, counted and pruned like all else.
/// </summary>
internal sealed class FunctionInlining
{
    // A few functions that call each other can stand for any number of nodes, of which each takes some 700 bytes while they are put in: beyond what takes 40 MB
    // and some times the file a model is refused.
    private const int Allowance = 60_000;

    private const int BytesForANode = 100;

    private readonly string _file;
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions;
    private readonly Stack<FunctionProto> _open = [];
    private readonly UniqueNames _names;
    private readonly long _limit;
    private long _count;

    private FunctionInlining(ModelProto model, string file, Dictionary<(string, string, string), FunctionProto> functions)
    {
        (_file, _functions) = (file, functions);
        _names = new(OnnxNames.Of(model.Graph));
        _limit = Allowance + (model.CalculateSize() / BytesForANode);
    }

    /// <summary>Inlines all functions that are written for the model's own version of the standard; others stay, and with them their calls.</summary>
    /// <exception cref="OnnxFormatException">A function calls itself, occurs twice, or the calls stand for too many nodes.</exception>
    public static void Run(ModelProto model, string file)
    {
        var versions = model.OpsetImport.ToLookup(import => Domain(import.Domain), import => import.Version);
        var functions = new Dictionary<(string, string, string), FunctionProto>();
        foreach (var function in model.Functions.Where(function =>
            function.OpsetImport.All(import => !versions.Contains(Domain(import.Domain)) || versions[Domain(import.Domain)].First() == import.Version)))
        {
            if (!functions.TryAdd((Domain(function.Domain), function.Name, function.Overload), function))
            {
                throw new OnnxFormatException($"{file} has the function '{function.Name}' twice.");
            }
        }

        if (functions.Count == 0)
        {
            return;
        }

        var expanded = new PackedNodes();
        var inlining = new FunctionInlining(model, file, functions);
        foreach (var node in PackedNodes.Of(model.Graph))
        {
            inlining.Expand(node, one => expanded.Add(one));
        }

        model.Graph.Node.Clear();
        expanded.AddTo(model.Graph);
        foreach (var function in functions.Values)
        {
            model.Functions.Remove(function);
            model.OpsetImport.AddRange(function.OpsetImport.Where(import => model.OpsetImport.All(known => Domain(known.Domain) != Domain(import.Domain))));
        }
    }

    private static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    private void Expand(RepeatedField<NodeProto> nodes)
    {
        var expanded = new List<NodeProto>();
        foreach (var node in nodes)
        {
            Expand(node, expanded.Add);
        }

        nodes.Clear();
        nodes.AddRange(expanded);
    }

    private void Expand(NodeProto node, Action<NodeProto> into)
    {
        if (++_count > _limit)
        {
            throw new OnnxFormatException($"{_file} stands for more than {_limit} nodes once its functions are in the place of their calls.");
        }

        if (!_functions.TryGetValue((Domain(node.Domain), node.OpType, node.Overload), out var function))
        {
            foreach (var graph in node.Attribute.SelectMany(OnnxGraphOrder.Subgraphs))
            {
                Expand(graph.Node);
            }

            into(node);
            return;
        }

        if (_open.Contains(function))
        {
            throw new OnnxFormatException($"{_file}: function '{function.Name}' calls itself.");
        }

        if (node.Input.Count > function.Input.Count || node.Output.Count > function.Output.Count)
        {
            throw new OnnxFormatException($"{_file}: node {OnnxGraphOrder.Describe(node)} has {node.Input.Count} inputs and {node.Output.Count} outputs; "
                + $"its function has {function.Input.Count} and {function.Output.Count}.");
        }

        _open.Push(function);
        foreach (var inner in Body(node, function))
        {
            Expand(inner, into);
        }

        _open.Pop();
    }

    /// <summary>The function's nodes with the call's own names and attributes.</summary>
    private List<NodeProto> Body(NodeProto call, FunctionProto function)
    {
        var inlined = new InlinedBody(call.Name.Length > 0 ? call.Name : call.Output.FirstOrDefault(function.Name), _names, Attributes(call, function));
        for (var i = 0; i < function.Input.Count; i++)
        {
            inlined.Bind(function.Input[i], i < call.Input.Count ? call.Input[i] : "");
        }

        var twice = new List<NodeProto>();
        for (var i = 0; i < Math.Min(function.Output.Count, call.Output.Count); i++)
        {
            if (call.Output[i].Length > 0 && !inlined.Bind(function.Output[i], call.Output[i]))
            {
                // It gives back what it was given, or one result twice.
                twice.Add(new NodeProto { OpType = "Identity", Input = { inlined[function.Output[i]] }, Output = { call.Output[i] } });
            }
        }

        return [.. inlined.Copy(function.Node), .. twice];
    }

    private static Dictionary<string, AttributeProto> Attributes(NodeProto call, FunctionProto function)
    {
        var attributes = function.AttributeProto.DistinctBy(attribute => attribute.Name).ToDictionary(attribute => attribute.Name);
        foreach (var attribute in call.Attribute)
        {
            attributes[attribute.Name] = attribute;
        }

        return attributes;
    }
}
