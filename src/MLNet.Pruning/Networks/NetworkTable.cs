using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks;

/// <summary>The table of layers that a network prints as.</summary>
internal static class NetworkTable
{
    public static ReportTable Of(Network network)
    {
        var rows = network.Layers.Select(layer => Row(layer.Node.Name, layer.Node.Operator, layer.Outputs is [var output, ..] ? Shape(output) : "?",
            layer.Parameters.Select(name => network[name]).Where(parameter => parameter.Trainable).Sum(parameter => (long)parameter.Count),
            layer.MultiplyAdds)).ToArray();
        return new(["layer", "operator", "output", "parameters", "multiply-adds"],
            [.. network.Inputs.Select(input => Row(input.Name, "", Shape(input), 0, OpenCount.Zero)), .. rows],
            Row("total", "", "", network.ParameterCount, network.Layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAdds)));
    }

    private static string Shape(TensorInfo tensor) => tensor.IsKnown ? TensorInfo.Dimensions(tensor.Shape) : "?";

    private static string[] Row(string layer, string @operator, string output, long parameters, OpenCount multiplyAdds)
        => [layer, @operator, output, Number(parameters), multiplyAdds.ToString()];

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
