namespace MLNet.Pruning.Training;

/// <summary>What is handed on has finite weights: a last step can leave the finite numbers without any loss being measured after it.</summary>
internal static class FiniteWeights
{
    /// <summary>Refuses a network with weights that are not finite.</summary>
    /// <param name="network">The network.</param>
    /// <param name="failed">What made the weights, and how it failed: the start of the message.</param>
    /// <param name="remedy">What to do about it.</param>
    /// <exception cref="InvalidOperationException">Names the layers, and how many of their weights are not finite.</exception>
    public static void Check(Network network, string failed, string remedy)
    {
        var broken = network.Parameters.Select(parameter => (parameter.Name, parameter.Count, Broken: Count(parameter.Values)))
            .Where(parameter => parameter.Broken > 0).ToArray();
        if (broken.Length > 0)
        {
            throw new InvalidOperationException($"{failed}: {string.Join(", ",
                broken.Take(Shown).Select(parameter => $"{parameter.Broken:N0} of the {parameter.Count:N0} values of {Place(network, parameter.Name)}"))}"
                + $"{(broken.Length > Shown ? $" and values of {broken.Length - Shown} more parameters" : "")} are not finite numbers. {remedy}");
        }
    }

    private const int Shown = 3;

    private static string Place(Network network, string parameter) => network.Consumers(parameter).FirstOrDefault() is { } node
        ? $"layer '{node.Name}' ('{parameter}')" : $"'{parameter}'";

    private static int Count(ReadOnlySpan<float> values)
    {
        var count = 0;
        foreach (var value in values)
        {
            count += float.IsFinite(value) ? 0 : 1;
        }

        return count;
    }
}
