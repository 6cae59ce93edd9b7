namespace MLNet.Pruning.Scoring.Operators;

/// <summary>The operators that a <see cref="TorchGraph"/> can run, one file a family.</summary>
internal static class TorchOperators
{
    /// <summary>Makes a node a step.</summary>
    /// <exception cref="NotSupportedException">The node cannot be run as it is.</exception>
    public delegate Action<Pass> Rule(OperatorContext context);

    private static readonly FrozenDictionary<string, Rule> s_rules = Merge(
        ElementwiseOperators.Rules, ActivationOperators.Rules, ProductOperators.Rules, ConvolutionOperators.Rules, PoolingOperators.Rules,
        ResizeOperators.Rules,
        NormalizationOperators.Rules, LayoutOperators.Rules, SelectionOperators.Rules, ReductionOperators.Rules, RecurrentOperators.Rules,
        QuantizationOperators.Rules);

    /// <summary>The operators that can be run.</summary>
    public static IEnumerable<string> Operators => s_rules.Keys;

    /// <summary>The step that a node is.</summary>
    /// <exception cref="NotSupportedException">The operator is not known, or not in this form; the message names node and operator.</exception>
    public static Action<Pass> Compile(OperatorContext context)
    {
        var node = context.Node;
        return node.Domain.Length == 0 && s_rules.TryGetValue(node.Operator, out var rule) ? rule(context)
            : throw new NotSupportedException($"Node '{node.Name}' has the operator '{(node.Domain.Length == 0 ? "" : node.Domain + ".")}{node.Operator}', "
                + "which cannot be run.");
    }

    private static FrozenDictionary<string, Rule> Merge(params IEnumerable<KeyValuePair<string, Rule>>[] families)
        => families.SelectMany(family => family).ToFrozenDictionary();
}
