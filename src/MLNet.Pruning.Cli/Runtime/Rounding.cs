namespace MLNet.Pruning.Cli.Runtime;

/// <summary>How far two networks that compute the same may be apart, by the coarsest type that they compute in.</summary>
internal static class Rounding
{
    // About five times the distance of two neighbours near 1, and for integers a step of a few of them: sums of some hundred terms stay within.
    private const double BFloat16 = 4e-2;
    private const double Integers = 2e-2;
    private const double Float16 = 5e-3;
    private const double Float = 1e-4;

    /// <summary>A tolerance relative to the largest output.</summary>
    public static double Tolerance(Network network)
    {
        var types = network.Tensors.Values.Select(tensor => tensor.Type).ToHashSet();
        return types.Contains(TensorType.BFloat16) ? BFloat16
            : network.Nodes.Any(node => node is { Domain: "", Operator: "QuantizeLinear" or "DynamicQuantizeLinear" }) ? Integers
            : types.Contains(TensorType.Float16) ? Float16 : Float;
    }
}
