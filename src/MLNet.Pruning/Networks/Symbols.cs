using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>
/// Sizes that are open until a network runs. Each has a negative number, -1 the batch; products of open sizes and numbers are open
/// sizes themselves (64 heads x N rows), so that a reshape that merges the batch with another dimension can be followed.
/// </summary>
internal sealed class Symbols
{
    private readonly List<Term> _terms = [];
    private readonly Dictionary<string, int> _codes = [];
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
            if (_codes.TryGetValue(name, out var code))
            {
                if (_terms[-code - 1].Source is null && source is not null)
                {
                    _terms[-code - 1] = _terms[-code - 1] with { Source = source };
                }

                return code;
            }

            _terms.Add(new(name, 1, [-_terms.Count - 1], source));
            return _codes[name] = -_terms.Count;
        }
    }

    /// <summary>Name of an open size.</summary>
    public string Name(int size) => this[size].Name;

    /// <summary>The number and the open sizes whose product a size is; (size, none) for a number.</summary>
    public (long Coefficient, ImmutableArray<int> Factors) Factors(int size) => size >= 0 ? (size, []) : (this[size].Coefficient, this[size].Factors);

    /// <summary>Tensor and dimension whose size an open size without factors is.</summary>
    public (string Tensor, int Dimension)? Source(int size) => this[size].Source;

    /// <exception cref="OverflowException">The product of numbers exceeds the largest size.</exception>
    public int Product(params IEnumerable<int> sizes)
    {
        long coefficient = 1;
        var factors = new List<int>();
        foreach (var size in sizes)
        {
            var (number, open) = Factors(size);
            coefficient = checked(coefficient * number);
            factors.AddRange(open);
        }

        return Intern(coefficient, factors);
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
            return checked((int)coefficient);
        }

        factors.Sort((a, b) => b.CompareTo(a));
        if (coefficient == 1 && factors.Count == 1)
        {
            return factors[0];
        }

        lock (_lock)
        {
            var name = string.Join("*", factors.Select(factor => _terms[-factor - 1].Name).Prepend(coefficient == 1 ? null : coefficient.ToString()).OfType<string>());
            if (!_codes.TryGetValue(name, out var code))
            {
                _terms.Add(new(name, coefficient, [.. factors], null));
                _codes[name] = code = -_terms.Count;
            }

            return code;
        }
    }

    private sealed record Term(string Name, long Coefficient, ImmutableArray<int> Factors, (string Tensor, int Dimension)? Source);
}
