namespace MLNet.Pruning.Samples.Mnist;

/// <summary>How wide the layers of a network still are.</summary>
internal static class LayerWidths
{
    /// <summary>
    /// For a multilayer perceptron the inputs, then the units of each hidden layer; for a LeNet-5 the filters, then the inputs and units of
    /// the hidden layer. Counted are those with a weight that is not zero.
    /// </summary>
    public static string Of(Network network)
    {
        Parameter[] weights = [.. network.Parameters.Where(parameter => parameter.Shape.Length > 1)];
        var widths = new List<int>();
        for (var i = 0; i < weights.Length - 1; i++)
        {
            var isDense = weights[i].Shape.Length == 2;
            if (isDense && (i == 0 || weights[i - 1].Shape.Length > 2))
            {
                widths.Add(Used(weights[i], 1));
            }

            widths.Add(Used(weights[i], 0));
        }

        return string.Join('-', widths);
    }

    /// <summary>Indexes along a dimension with a weight that is not zero; weights are stored outputs first.</summary>
    private static int Used(Parameter weight, int dimension)
    {
        var outputs = weight.Shape[0];
        var inputs = weight.Count / outputs;
        return dimension == 0 ? Enumerable.Range(0, outputs).Count(output => weight.Values.Slice(output * inputs, inputs).ContainsAnyExcept(0f))
            : Enumerable.Range(0, inputs).Count(input => Enumerable.Range(0, outputs).Any(output => weight.Values[output * inputs + input] != 0));
    }
}
