using System.Globalization;

namespace MLNet.Pruning;

/// <summary>The table of layers that <see cref="Network.ToString"/> prints.</summary>
internal static class NetworkTable
{
    public static string Format(Network network)
    {
        var rows = network.Layers.Select(layer => Row(layer.Node.Name, layer.Node.Operator, layer.Outputs is [var output, ..] ? Shape(output) : "?",
            layer.Parameters.Select(name => network[name]).Where(parameter => parameter.Trainable).Sum(parameter => (long)parameter.Count),
            layer.MultiplyAdds)).ToArray();
        return TextTable.Format(["layer", "operator", "output", "parameters", "multiply-adds"],
            [.. network.Inputs.Select(input => Row(input.Name, "", Shape(input), 0, 0)), .. rows],
            Row("total", "", "", network.ParameterCount, network.Layers.Sum(layer => layer.MultiplyAdds)));
    }

    private static string Shape(TensorInfo tensor) => tensor.IsKnown ? TensorInfo.Dimensions(tensor.Shape) : "?";

    private static string[] Row(string layer, string @operator, string output, long parameters, long multiplyAdds)
        => [layer, @operator, output, Number(parameters), Number(multiplyAdds)];

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
