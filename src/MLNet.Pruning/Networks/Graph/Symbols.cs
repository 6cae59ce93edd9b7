namespace MLNet.Pruning.Networks.Graph;

/// <summary>
/// Sizes that are open until a network runs. Each has a negative number, -1 the batch; products of open sizes and numbers are open
/// sizes themselves (64 heads x N rows), so that a reshape that merges the batch with another dimension can be followed.
/// </summary>
internal sealed class Symbols
{
    /// <summary>
    /// More than any network multiplies. A product of two that multiplies with itself doubles its factors, and a few bytes of a file ask for that.
    /// </summary>
    private const int MostFactors = 64;

    // Longer products get a name of their own.
    private const int LongestProduct = 64;

    private readonly List<Term> _terms = [];
    private readonly Dictionary<string, int> _named = [];
    private readonly Dictionary<string, int> _derived = [];
    private readonly UniqueNames _names = new([]);
    private readonly Lock _lock = new();

    /// <param name="batch">Name of the batch dimension.</param>
    public Symbols(string batch = "N") => Open(batch, null);

    /// <summary>An open size of that name; the same for the same name.</summary>
    /// <param name="name">Name, such as an ONNX dimension parameter.</param>
    /// <param name="source">Tensor and dimension that tell it when the network runs.</param>
    public int Open(string name, (string Tensor, int Dimension)? source)
    {
        lock (_lock)
        {
            if (_named.TryGetValue(name, out var code))
            {
                if (_terms[-code - 1].Source is null && source is not null)
                {
                    _terms[-code - 1] = _terms[-code - 1] with { Source = source };
                }

                return code;
            }

            _names.Next(name);
            _terms.Add(new(name, 1, [-_terms.Count - 1], source));
            return _named[name] = -_terms.Count;
        }
    }

    /// <summary>An open size that follows from others by more than a product; the same for the same formula. Its name is d2, d3, ...</summary>
    /// <param name="formula">How it follows, with the numbers of open sizes for their names, which may be long.</param>
    /// <param name="source">Tensor and dimension that tell it when the network runs.</param>
    public int Derive(string formula, (string Tensor, int Dimension) source)
    {
        lock (_lock)
        {
            if (!_derived.TryGetValue(formula, out var code))
            {
                _terms.Add(new(_names.Next($"d{_terms.Count + 1}"), 1, [-_terms.Count - 1], source));
                _derived[formula] = code = -_terms.Count;
            }

            return code;
        }
    }

    /// <summary>Name of an open size.</summary>
    public string Name(int size) => this[size].Name;

    /// <summary>The number and the open sizes whose product a size is; (size, none) for a number.</summary>
    public (long Coefficient, ImmutableArray<int> Factors) Factors(int size) => size >= 0 ? (size, []) : (this[size].Coefficient, this[size].Factors);

    /// <summary>Tensor and dimension whose size an open size without factors is.</summary>
    public (string Tensor, int Dimension)? Source(int size) => this[size].Source;

    /// <summary>A size for the product of sizes.</summary>
    /// <exception cref="OverflowException">The product of numbers exceeds the largest size, or has more than 64 open sizes as factors.</exception>
    public int Product(params IEnumerable<int> sizes) => TryProduct(sizes)
        ?? throw new OverflowException($"The product of the sizes {TensorInfo.Dimensions(sizes)} is larger than {int.MaxValue}, or of more than {MostFactors} "
            + "open sizes.");

    /// <summary>The product; null where its number exceeds the largest size, or it has more than 64 open sizes as factors.</summary>
    public int? TryProduct(params IEnumerable<int> sizes)
    {
        var coefficient = Int128.One;
        var factors = new List<int>();
        foreach (var size in sizes)
        {
            var (number, open) = Factors(size);
            coefficient *= number;
            factors.AddRange(open);
            // A later size of zero makes all of it zero.
            coefficient = Int128.Min(coefficient, (Int128)long.MaxValue + 1);
            if (factors.Count > MostFactors && coefficient != 0)
            {
                return null;
            }
        }

        return coefficient <= (factors.Count == 0 ? int.MaxValue : long.MaxValue) ? Intern((long)coefficient, factors) : null;
    }

    /// <summary>The quotient; null where it is not a whole number for every value of the open sizes.</summary>
    public int? Quotient(int dividend, int divisor)
    {
        var (number, open) = Factors(dividend);
        var (by, byOpen) = Factors(divisor);
        var left = open.ToList();
        if (by == 0 || number % by != 0 || !byOpen.All(left.Remove))
        {
            return null;
        }

        return Intern(number / by, left);
    }

    private Term this[int size]
    {
        get
        {
            lock (_lock)
            {
                return _terms[-size - 1];
            }
        }
    }

    private int Intern(long coefficient, List<int> factors)
    {
        if (factors.Count == 0 || coefficient == 0)
        {
            return (int)coefficient;
        }

        factors.Sort((a, b) => b.CompareTo(a));
        if (coefficient == 1 && factors.Count == 1)
        {
            return factors[0];
        }

        lock (_lock)
        {
            var formula = $"{coefficient}*{string.Join("*", factors)}";
            if (!_derived.TryGetValue(formula, out var code))
            {
                var names = factors.Select(factor => _terms[-factor - 1].Name).ToArray();
                var name = names.Sum(factor => (long)factor.Length) > LongestProduct ? $"d{_terms.Count + 1}"
                    : string.Join("*", names.Prepend(coefficient == 1 ? null : coefficient.ToString()).OfType<string>());
                _terms.Add(new(_names.Next(name), coefficient, [.. factors], null));
                _derived[formula] = code = -_terms.Count;
            }

            return code;
        }
    }

    private sealed record Term(string Name, long Coefficient, ImmutableArray<int> Factors, (string Tensor, int Dimension)? Source);
}
