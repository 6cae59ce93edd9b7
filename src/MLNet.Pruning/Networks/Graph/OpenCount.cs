namespace MLNet.Pruning.Networks.Graph;

/// <summary>A number that may depend on open sizes: a sum of products of them, such as 1,536 T + 24 T^2 for a sequence of length T.</summary>
internal sealed class OpenCount : IEquatable<OpenCount>
{
    /// <summary>What stands for a number that cannot be determined, such as the work of an operator that is not known.</summary>
    private const string UnknownTerm = "?";

    /// <summary>Numbers by the product of open sizes that they are taken times; the empty one is 1.</summary>
    private readonly ImmutableSortedDictionary<string, long> _terms;

    private OpenCount(ImmutableSortedDictionary<string, long> terms) => _terms = terms;

    public static OpenCount Zero { get; } = new(ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    public static OpenCount Unknown { get; } = new(Zero._terms.Add(UnknownTerm, 1));

    /// <summary>The number; null where it depends on an open size or cannot be determined.</summary>
    public long? Number => _terms.Count == 0 ? 0 : _terms.Count == 1 && _terms.TryGetValue("", out var number) ? number : null;

    /// <summary>The number with every open size 1, for what needs no more than an order of magnitude.</summary>
    public long AtOnes => _terms.Values.Sum();

    public bool IsZero => _terms.Count == 0;

    /// <summary>A number, or what cannot be determined.</summary>
    public static OpenCount Of(long? number) => number is not { } known ? Unknown : known == 0 ? Zero : new(Zero._terms.Add("", known));

    /// <summary>The product of sizes, the batch left out.</summary>
    public static OpenCount Product(Symbols symbols, IEnumerable<int> sizes)
    {
        var (number, open) = (1L, new List<string>());
        foreach (var size in sizes)
        {
            var (coefficient, factors) = symbols.Factors(size);
            number *= coefficient;
            open.AddRange(factors.Where(factor => factor != TensorInfo.Batch).Select(symbols.Name));
        }

        var powers = open.GroupBy(name => name).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => group.Count() == 1 ? group.Key : $"{group.Key}^{group.Count()}");
        return number == 0 ? Zero : new(Zero._terms.Add(string.Join(" ", powers), number));
    }

    public static OpenCount operator *(OpenCount count, long factor)
        => factor == 0 ? Zero : new(count._terms.ToImmutableSortedDictionary(term => term.Key,
            term => term.Key == UnknownTerm ? term.Value : term.Value * factor, StringComparer.Ordinal));

    public static OpenCount operator +(OpenCount a, OpenCount b)
        => new(b._terms.Aggregate(a._terms, (sum, term) => sum.SetItem(term.Key, sum.GetValueOrDefault(term.Key) + term.Value)));

    public bool Equals(OpenCount? other) => other is not null && _terms.SequenceEqual(other._terms);

    public override bool Equals(object? obj) => Equals(obj as OpenCount);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>"1,536 T + 24 T^2", a "?" for what cannot be determined.</summary>
    public override string ToString() => _terms.Count == 0 ? "0" : string.Join(" + ", _terms.Select(term => term.Key == UnknownTerm ? UnknownTerm
        : term.Value.ToString("N0", CultureInfo.InvariantCulture) + (term.Key.Length > 0 ? " " + term.Key : "")));
}
