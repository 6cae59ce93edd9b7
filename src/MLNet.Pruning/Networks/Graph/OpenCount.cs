namespace MLNet.Pruning.Networks.Graph;

/// <summary>A number that may depend on open sizes: a sum of products of them, such as 1,536 T + 24 T^2 for a sequence of length T.</summary>
internal sealed class OpenCount : IEquatable<OpenCount>
{
    /// <summary>What stands for a number that cannot be determined, such as the work of an operator that is not known.</summary>
    private const string UnknownTerm = "?";

    /// <summary>In the order of their products, each once.</summary>
    private readonly ImmutableArray<Term> _terms;

    private OpenCount(params ImmutableArray<Term> terms) => _terms = terms;

    public static OpenCount Zero { get; } = new();

    public static OpenCount Unknown { get; } = new(new Term(UnknownTerm, 1));

    /// <summary>The number; null where it depends on an open size or cannot be determined.</summary>
    public long? Number => _terms switch { [] => 0, [{ Product: "", Number: var number }] => number, _ => null };

    /// <summary>The number with every open size 1, for what needs no more than an order of magnitude.</summary>
    public long AtOnes => _terms.Sum(term => term.Number);

    public bool IsZero => _terms.IsEmpty;

    /// <summary>A number, or what cannot be determined.</summary>
    public static OpenCount Of(long? number) => number is not { } known ? Unknown : known == 0 ? Zero : new(new Term("", known));

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
        return number == 0 ? Zero : new(new Term(string.Join(" ", powers), number));
    }

    public static OpenCount operator *(OpenCount count, long factor) => factor == 0 ? Zero
        : new([.. count._terms.Select(term => term.Product == UnknownTerm ? term : term with { Number = term.Number * factor })]);

    public static OpenCount operator +(OpenCount a, OpenCount b)
    {
        var sum = ImmutableArray.CreateBuilder<Term>(a._terms.Length + b._terms.Length);
        for (int i = 0, j = 0; i < a._terms.Length || j < b._terms.Length;)
        {
            var order = i == a._terms.Length ? 1 : j == b._terms.Length ? -1 : string.CompareOrdinal(a._terms[i].Product, b._terms[j].Product);
            sum.Add(order < 0 ? a._terms[i++] : order > 0 ? b._terms[j++] : a._terms[i] with { Number = a._terms[i++].Number + b._terms[j++].Number });
        }

        return new(sum.DrainToImmutable());
    }

    public bool Equals(OpenCount? other) => other is not null && _terms.AsSpan().SequenceEqual(other._terms.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as OpenCount);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>"1,536 T + 24 T^2", a "?" for what cannot be determined.</summary>
    public override string ToString() => _terms.IsEmpty ? "0" : string.Join(" + ", _terms.Select(term => term.Product == UnknownTerm ? UnknownTerm
        : term.Number.ToString("N0", CultureInfo.InvariantCulture) + (term.Product.Length > 0 ? " " + term.Product : "")));

    /// <summary>A number times open sizes.</summary>
    /// <param name="Product">The sizes; empty where there are none.</param>
    /// <param name="Number">The number.</param>
    private readonly record struct Term(string Product, long Number);
}
