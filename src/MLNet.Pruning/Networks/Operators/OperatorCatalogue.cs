namespace MLNet.Pruning.Networks.Operators;

/// <summary>The operators of the standard that are analysed, one file a family. What the layers above add to one, they keep in tables by these names.</summary>
internal static class OperatorCatalogue
{
    private static readonly FrozenDictionary<string, Operator> s_operators = new[]
    {
        ElementwiseShapes.Operators, WindowShapes.Operators, ProductShapes.Operators,
        LayoutShapes.Operators, ReductionShapes.Operators, RecurrentShapes.Operators,
    }.SelectMany(family => family).ToFrozenDictionary(one => one.Name);

    public static IEnumerable<Operator> All => s_operators.Values;

    /// <summary>The operator of a node; null for one that is not analysed.</summary>
    public static Operator? Find(Node node) => node.Domain.Length == 0 ? Find(node.Operator) : null;

    /// <summary>The operator of the standard of that name; null for one that is not analysed.</summary>
    public static Operator? Find(string name) => s_operators.GetValueOrDefault(name);
}
