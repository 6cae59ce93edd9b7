using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>What makes an ONNX model well formed, apart from what its operators do.</summary>
internal static class OnnxValidation
{
    private const long OldestIrVersion = 3;

    private const long NewestIrVersion = 13;

    private const long OldestOpset = 7;

    private const long NewestOpset = 26;

    /// <summary>Refuses a model that is not well formed.</summary>
    /// <param name="model">The model; only read.</param>
    /// <param name="name">Its file, named in messages.</param>
    /// <param name="folder">The folder to which its external data is relative; null if it has none.</param>
    /// <exception cref="OnnxFormatException">It is not; the message names the place, what was found and what was expected.</exception>
    public static void Check(ModelProto model, string name, string? folder)
    {
        if (model.IrVersion is < OldestIrVersion or > NewestIrVersion)
        {
            throw new OnnxFormatException($"{name} has the IR version {(model.HasIrVersion ? model.IrVersion : "(none)")}; expected {OldestIrVersion} to "
                + $"{NewestIrVersion}.");
        }

        if (model.Graph is null)
        {
            throw new OnnxFormatException($"{name} has no graph.");
        }

        CheckOpsets(model, name);
        new OnnxGraphCheck(name, folder).Run(model.Graph);
        CheckFunctions(model, name, folder);
    }

    private static void CheckOpsets(ModelProto model, string name)
    {
        var versions = new Dictionary<string, long>();
        foreach (var import in model.OpsetImport)
        {
            var domain = import.Domain == "ai.onnx" ? "" : import.Domain;
            if (!versions.TryAdd(domain, import.Version) && versions[domain] != import.Version)
            {
                throw new OnnxFormatException($"{name} imports the versions {versions[domain]} and {import.Version} of the operators of '{import.Domain}'; "
                    + "expected one.");
            }
        }

        if (!versions.TryGetValue("", out var version))
        {
            if (!PackedNodes.Of(model.Graph).Any(node => node.Domain is "" or "ai.onnx"))
            {
                return;
            }

            throw new OnnxFormatException($"{name} does not say which version of the ONNX operators it uses; expected {OldestOpset} to {NewestOpset}.");
        }

        if (version is < OldestOpset or > NewestOpset)
        {
            throw new OnnxFormatException($"{name} uses version {version} of the ONNX operators; expected {OldestOpset} to {NewestOpset}.");
        }
    }

    private static void CheckFunctions(ModelProto model, string name, string? folder)
    {
        var seen = new HashSet<(string, string, string)>();
        foreach (var function in model.Functions)
        {
            if (!seen.Add((function.Domain, function.Name, function.Overload)))
            {
                throw new OnnxFormatException($"{name} defines the function '{function.Name}' of '{function.Domain}' twice.");
            }

            // A function is a graph whose inputs and outputs have no types.
            var graph = new GraphProto { Name = function.Name };
            graph.Input.AddRange(function.Input.Select(input => new ValueInfoProto { Name = input }));
            graph.Output.AddRange(function.Output.Select(output => new ValueInfoProto { Name = output }));
            graph.Node.AddRange(function.Node);
            new OnnxGraphCheck(name, folder).Run(graph);
        }
    }
}
