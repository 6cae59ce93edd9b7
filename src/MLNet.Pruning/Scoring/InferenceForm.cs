using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Scoring;

/// <summary>A network as a runtime scores it: inputs and scores are floats, and nothing is computed as in training.</summary>
internal static class InferenceForm
{
    private const string Prefix = "MLNet.Pruning.";

    /// <summary>The network that gives the logits; its inputs are those of the network, in the same order and shapes.</summary>
    public static Network Of(Network network)
    {
        var form = network.Graph.Once(nameof(InferenceForm), () => Build(network.WithoutValues()));
        return form.WithParameters(form.Parameters.Select(parameter => network[parameter.Name]));
    }

    /// <summary>The network that gives tensors within it, as they are; its inputs are those of the network, in the same order and shapes.</summary>
    public static Network Of(Network network, IReadOnlyList<string> tensors)
    {
        var form = WithFloatInputs(OfTraining(network));
        return new Network((form.Parts with { Outputs = [.. tensors], AsRead = false }).Needed());
    }

    private static Network Build(Network network)
    {
        network = WithFloatInputs(OfTraining(network));
        var scores = network.Logits;
        var tail = new List<Node>();
        if (network.Find(scores)?.Type != TensorType.Float)
        {
            tail.Add(Cast(scores, scores = Prefix + "Scores", TensorType.Float));
        }

        return new Network(network.Parts with
        {
            Nodes = [.. network.Nodes, .. tail],
            Outputs = [scores, .. network.Graph.Outputs.Where(output => output != scores)],
            AsRead = false,
        }).WithOutputs(scores);
    }

    private static Network WithFloatInputs(Network network)
    {
        var (inputs, casts) = (new List<TensorInfo>(), new List<Node>());
        foreach (var input in network.Inputs)
        {
            var isFloat = input.Type == TensorType.Float;
            inputs.Add(isFloat ? input : new TensorInfo($"{Prefix}Input{inputs.Count}", input.Shape));
            if (!isFloat)
            {
                casts.Add(Cast(inputs[^1].Name, input.Name, input.Type));
            }
        }

        return casts.Count == 0 ? network
            : new Network(network.Parts with { Inputs = [.. inputs], Nodes = [.. casts, .. network.Nodes], AsRead = false });
    }

    /// <summary>The network with nodes of training as what they are after it; itself where it has none.</summary>
    public static Network OfTraining(Network network) => !network.Nodes.Any(node => node.IsTraining) ? network
        : new Network(network.Parts with { Nodes = [.. network.Nodes.Select(node => node.IsTraining ? AfterTraining(node) : node)], AsRead = false });

    private static Node AfterTraining(Node node)
        => node.With(Node.TrainingMode, 0L).WithOutputs(node.Operator == "BatchNormalization" ? node.Outputs.Take(1) : node.Outputs);

    private static Node Cast(string input, string output, TensorType type)
        => new(Prefix + "Cast." + output, "Cast", [input], [output], [new("to", (long)type)]);
}
