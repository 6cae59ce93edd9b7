using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Files;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>Steps between integers that a training learned, as an entry of a model file: what quantises the network after it is loaded takes them.</summary>
internal static class ArchivedSteps
{
    public static void Write(ModelArchive archive, string name, QuantizationPlan plan) => archive.AddJson(name, new Steps(
        plan.Quantizer!.ToString()!, [.. plan.Weights], [.. plan.Layers.Select(layer => layer.Node.Outputs[0])],
        [.. plan.Tensors.Select(tensor => new Rounded(tensor.Tensor, tensor.Root, plan.Ranges[tensor.Root].Scale, plan.Ranges[tensor.Root].Zero))],
        plan.IsSigned));

    /// <exception cref="ModelFileException">They are not those of the network.</exception>
    public static QuantizationPlan Read(ModelArchive archive, string name, Network network)
    {
        var steps = archive.ReadJson<Steps>(name);
        return archive.Read(name, _ =>
        {
            var layers = QuantizableLayer.Of(network, new()).Where(layer => steps.Layers.Contains(layer.Node.Outputs[0])).ToArray();
            var plan = new QuantizationPlan(network, [.. steps.Weights])
            {
                Quantizer = Notation.Parse<Quantizer>(steps.Quantizer),
                Layers = layers,
                IsSigned = steps.IsSigned,
                Tensors = [.. steps.Tensors.Select(tensor => (tensor.Tensor, tensor.Root))],
                Ranges = steps.Tensors.DistinctBy(tensor => tensor.Root).ToImmutableDictionary(tensor => tensor.Root, tensor => (tensor.Scale, tensor.Zero)),
            };
            var wrong = plan.Weights.FirstOrDefault(weight => !Fits(network.Parameter(weight.Name), weight))?.Name
                ?? steps.Tensors.FirstOrDefault(tensor => network.Find(tensor.Tensor) is null || !IsScale(tensor.Scale))?.Tensor
                ?? layers.FirstOrDefault(layer => plan.Root(layer.Node) is null || plan.Weights.All(weight => weight.Name != layer.Weight.Name))?.Node.Name;
            return wrong is null && layers.Length == steps.Layers.Length ? plan
                : throw new ArgumentException($"the steps of {(wrong is null ? "its layers" : $"'{wrong}'")} are not those of the network");
        });
    }

    private static bool Fits(Parameter? parameter, WeightGrid weight) => parameter is not null && weight.Grid is { Block: 0 } grid
        && grid.Axis >= -1 && grid.Axis < parameter.Shape.Length && grid.Scales.All(IsScale) && grid.ZeroPoints.Length == grid.Scales.Length
        && grid.Scales.Length == (grid.Axis < 0 ? 1 : parameter.Shape[grid.Axis]) && weight.Lowest <= 0 && weight.Highest > 0;

    private static bool IsScale(float scale) => float.IsNormal(scale) && scale > 0;

    private sealed record Steps(string Quantizer, List<WeightGrid> Weights, string[] Layers, List<Rounded> Tensors, bool IsSigned = false);

    private sealed record Rounded(string Tensor, string Root, float Scale, byte Zero);
}
