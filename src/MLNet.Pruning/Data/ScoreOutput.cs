namespace MLNet.Pruning.Data;

/// <summary>Gives the output of a network that came from elsewhere the form that training and scoring count on: rows of scores.</summary>
internal static class ScoreOutput
{
    /// <summary>
    /// The network with an output of batch x scores. An output such as batch x 10 x 1 x 1 is flattened, before the softmax or sigmoid
    /// that ends the graph; so is one of the batch alone, which losses would spread over the rows. A sigmoid that ends a regression is
    /// part of what it predicts: a node after it keeps it from being taken for the task's own last step.
    /// </summary>
    /// <exception cref="ArgumentException">The output is not a batch of rows of a fixed size, or its size does not fit the task.</exception>
    public static Network Fit(Network network, LearningTask task)
    {
        var output = network.Output;
        if (!output.IsKnown || output.Shape.Length == 0 || output.Shape[0] != network.Input.Shape[0] || output.Shape.Skip(1).Any(size => size < 0))
        {
            throw new ArgumentException($"The network's output '{output}' is not a batch of rows of a fixed number of scores, one a row of '{network.Input}'.");
        }

        if (!task.HasOutputPerClass && output.RowSize != 1)
        {
            throw new ArgumentException($"A {task} task needs a network with one output; output '{output.Name}' of this one has {output.RowSize}.");
        }

        var last = network.Producer(output.Name);
        var ends = network.Logits != output.Name;
        if (output.Shape.Length == 2 && !(ends && !task.IsClassification))
        {
            return network;
        }

        var (flat, score) = (output.Name + ".flat", output.Name + ".score");
        Node[] added = ends && task.IsClassification
            ? [Flatten(flat, last!.Inputs[0]), new Node(score, last.Operator, [flat], [score], last.Operator == "Sigmoid" ? [] : [new("axis", 1L)])]
            : [Flatten(score, output.Name)];
        return new Network(network.Parts with { Nodes = [.. network.Nodes, .. added], Outputs = [.. network.Graph.Outputs, score], AsRead = false })
            .WithOutputs(score);
    }

    /// <summary>A network that was fitted and pruned since with the output that it had, under its name and in its shape.</summary>
    /// <param name="changed">The network as <see cref="Fit"/> gave it, with other weights and perhaps less structure.</param>
    /// <param name="original">The network that was fitted.</param>
    public static Network Restore(Network changed, Network original)
    {
        var output = original.Output.Name;
        if (changed.Output.Name == output)
        {
            return changed;
        }

        var nodes = changed.Nodes.Where(node => node.Name != output + ".flat" && node.Name != output + ".score").ToList();
        if (nodes.All(node => !node.Outputs.Contains(output)))
        {
            nodes.Add(original.Producer(output)!);
        }

        // With all that it had still there the file is written as it was.
        return nodes.ToHashSet().SetEquals(original.Nodes)
            && changed.Parameters.All(parameter => parameter.Shape.SequenceEqual(original[parameter.Name].Shape)) ? original.WithParameters(changed.Parameters)
            : new Network(changed.Parts with { Nodes = [.. nodes], Outputs = [output], AsRead = false });
    }

    private static Node Flatten(string name, string input) => new(name, "Flatten", [input], [name], [new("axis", 1L)]);
}
