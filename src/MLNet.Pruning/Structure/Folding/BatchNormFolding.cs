using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure.Folding;

/// <summary>Takes batch normalisation into the layer before it: w s and (b - mean) s + shift, with s = scale / sqrt(variance + epsilon).</summary>
internal static class BatchNormFolding
{
    public static Network Fold(Network network)
    {
        var uses = network.Nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).Concat(network.Graph.Outputs).GroupBy(name => name)
            .ToDictionary(group => group.Key, group => group.Count());
        var nodes = network.Nodes.ToList();
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name);
        var order = network.Parameters.Select(parameter => parameter.Name).ToList();
        foreach (var norm in network.Nodes.Where(node => node is { Operator: "BatchNormalization", Domain: "", IsTraining: false }))
        {
            if (network.Producer(norm.Inputs[0]) is not { } layer || uses[norm.Inputs[0]] != 1 || OutputDimension(layer) is not { } dimension
                || norm.Inputs.Skip(1).Any(name => !parameters.ContainsKey(name)) || !Own(layer.Inputs[1]) || (layer.Input(2) is { } biased && !Own(biased)))
            {
                continue;
            }

            var (scale, shift, mean, variance) = (parameters[norm.Inputs[1]].Array, parameters[norm.Inputs[2]].Array, parameters[norm.Inputs[3]].Array,
                parameters[norm.Inputs[4]].Array);
            var factor = scale.Select((value, i) => value / Math.Sqrt(variance[i] + (double)norm.Float("epsilon", 1e-5f))).ToArray();
            var weight = parameters[layer.Inputs[1]];
            if (weight.Shape[dimension] != factor.Length)
            {
                continue;
            }

            var values = GC.AllocateUninitializedArray<float>(weight.Count, pinned: true);
            foreach (var (slice, start, length) in SliceRuns.Of(weight.Shape, dimension))
            {
                for (var i = start; i < start + length; i++)
                {
                    values[i] = (float)(weight.Array[i] * factor[slice]);
                }
            }

            parameters[weight.Name] = weight.WithValues(values);
            var before = layer.Input(2) is { } bias ? parameters[bias].Array : new float[factor.Length];
            if (before.Length != factor.Length)
            {
                before = [.. Enumerable.Repeat(before[0], factor.Length)];
            }

            var name = layer.Input(2) ?? Unused(layer.Name + ".bias", parameters);
            parameters[name] = new Parameter(name, [factor.Length], [.. factor.Select((s, i) => (float)((before[i] - mean[i]) * s + shift[i]))], true,
                Initializer.Zero) { Type = weight.Type };
            if (layer.Input(2) is null)
            {
                order.Insert(order.IndexOf(weight.Name) + 1, name);
            }

            nodes[nodes.IndexOf(layer)] = layer.WithInputs([layer.Inputs[0], layer.Inputs[1], name]).WithOutputs(norm.Outputs);
            nodes.Remove(norm);
        }

        if (nodes.Count == network.Nodes.Length)
        {
            return network;
        }

        var used = nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).ToHashSet();
        return new Network(network.Parts with { Nodes = [.. nodes], Parameters = [.. order.Where(used.Contains).Select(name => parameters[name])],
            AsRead = false });

        bool Own(string name) => parameters.ContainsKey(name) && uses[name] == 1;
    }

    /// <summary>The dimension of a layer's weight that makes its outputs; null where a factor on the outputs is none on the weight.</summary>
    private static int? OutputDimension(Node layer) => OperatorCatalogue.Find(layer)?.Weights is [{ Input: 1, Product.Makes: 1 } operand]
        && operand.Axes(layer, operand.LeastDimensions) is var axes && (axes.Input != 0 || !axes.IsConvolution || layer.Int("group", 1) == 1)
        && layer.Float("alpha", 1) == 1 && layer.Float("beta", 1) == 1 ? axes.Output : null;

    private static string Unused(string name, Dictionary<string, Parameter> parameters)
    {
        while (parameters.ContainsKey(name))
        {
            name += "_";
        }

        return name;
    }
}
