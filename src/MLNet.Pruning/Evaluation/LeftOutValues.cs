using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning;

/// <summary>Values of a file that an operator reads which is not analysed: they are neither counted nor pruned.</summary>
public sealed record LeftOutValues
{
    internal LeftOutValues(string @operator, long values)
        => (Operator, Values) = (@operator, values);

    /// <summary>The operator, with its domain where that is not the standard's own.</summary>
    public string Operator { get; }

    /// <summary>How many.</summary>
    public long Values { get; }

    internal static IEnumerable<LeftOutValues> Of(Network network)
    {
        var counted = new HashSet<string>();
        return [.. network.Nodes.Where(node => node.Captured.IsEmpty && OperatorCatalogue.Find(node) is null)
            .Select(node => new LeftOutValues(node.Domain.Length == 0 ? node.Operator : $"{node.Domain}.{node.Operator}",
                node.Inputs.Where(name => IsWeight(network, name) && counted.Add(name))
                    .Sum(name => network.Find(name)!.Shape.Aggregate(1L, (product, size) => product * size))))
            .GroupBy(left => left.Operator).Select(group => new LeftOutValues(group.Key, group.Sum(left => left.Values))).Where(left => left.Values > 0)];
    }

    /// <summary>A line that says how many values of all are left out, and by what; null for none.</summary>
    internal static string? Describe(IReadOnlyCollection<LeftOutValues> left, long counted)
    {
        var values = left.Sum(operators => operators.Values);
        var quantized = left.Any(one => one.Operator.Contains("Integer", StringComparison.Ordinal) || one.Operator.Contains("QLinear", StringComparison.Ordinal)
            || one.Operator.Contains("NBits", StringComparison.Ordinal)
            || one.Operator is "DequantizeLinear" or "com.microsoft.QGemm" or "com.microsoft.QAttention");
        return values == 0 ? null : string.Create(CultureInfo.InvariantCulture,
            $"left out: {values:N0} of {values + counted:N0} values ({(double)values / (values + counted):P1}), which are read by operators that are not "
                + $"analysed: {string.Join(", ", left.Select(one => one.Operator))}{(quantized ? "; prune the model of floats, then quantize it" : "")}");
    }

    private static bool IsWeight(Network network, string name) => network.TryGetParameter(name, out var parameter) ? !parameter.Trainable && parameter.Count > 1
        : network.Constant(name) is { Type: not (TensorType.Int64 or TensorType.Int32 or TensorType.Bool or TensorType.String) } constant
            && constant.Shape.Aggregate(1L, (product, size) => product * size) > 1;
}
