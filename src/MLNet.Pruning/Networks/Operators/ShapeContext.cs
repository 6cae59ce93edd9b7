using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>One node with the tensors it reads, for the rule that tells what it produces.</summary>
internal sealed class ShapeContext(Node node, ImmutableArray<TensorInfo?> inputs, Symbols symbols, Func<string, long[]?>? integers = null)
{
    public Node Node => node;

    public Symbols Symbols => symbols;

    public int Count => inputs.Length;

    /// <summary>Shape of an input.</summary>
    public ImmutableArray<int> this[int input] => Info(input).Shape;

    public bool Has(int input) => input < inputs.Length && inputs[input] is not null;

    public TensorType Type(int input) => Has(input) ? Info(input).Type : TensorType.Float;

    public TensorInfo Info(int input) => Has(input) ? inputs[input]!
        : throw new ArgumentException($"Node '{node.Name}' ({node.Operator}) lacks its input {input}.");

    /// <summary>The numbers that an operand of integers holds, where they are known before the network runs.</summary>
    public long[]? Integers(int input) => Has(input) ? integers?.Invoke(node.Inputs[input]) : null;

    /// <summary>A shape of known rank whose sizes follow from values that are computed.</summary>
    /// <param name="rank">Number of dimensions.</param>
    /// <param name="output">Output of the node.</param>
    public ImmutableArray<int> Computed(int rank, int output = 0) => [.. Enumerable.Range(0, rank).Select(d => ComputedSize(output, d))];

    /// <summary>A size that follows from values that are computed.</summary>
    public int ComputedSize(int output, int dimension) => Derived($"{node.Outputs[output]}.{dimension}", output, dimension);

    /// <summary>An axis attribute counted from the first dimension.</summary>
    public int Axis(long axis, int rank, int input = 0)
    {
        Require(axis >= -rank && axis < rank, input, $"an axis {axis} within its dimensions");
        return Node.Resolve(axis, rank);
    }

    /// <summary>A size that is open because it follows from others by more than a product; the formula has their numbers, not their names.</summary>
    public int Derived(string formula, int output, int dimension) => symbols.Derive(formula, (node.Outputs[output], dimension));

    /// <summary>Refuses an input that is there and is no vector of that many values.</summary>
    public void RequireVector(int input, int length)
    {
        if (Has(input))
        {
            Require(this[input] is [var size] && Fit(size, length), input, $"one dimension of {length}");
        }
    }

    /// <summary>A list attribute with a number for each of so many dimensions; without it, the same number for all.</summary>
    public long[] Each(string attribute, int count, long otherwise, long least, long most = int.MaxValue)
    {
        var numbers = node.Ints(attribute, [.. Enumerable.Repeat(otherwise, count)]);
        return numbers.Length == count && numbers.All(number => number >= least && number <= most) ? numbers
            : throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) has the {attribute} {string.Join(", ", numbers)}; expected {count} numbers "
                + $"of at least {least}.");
    }

    /// <summary>A number attribute in a range.</summary>
    public int Number(string attribute, long otherwise, long least, long most = int.MaxValue)
    {
        var number = node.Int(attribute, otherwise);
        return number >= least && number <= most ? (int)number
            : throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) has the {attribute} {number}; expected {least} to {most}.");
    }

    /// <summary>Refuses the node where a condition does not hold.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public void Require(bool condition, int input, string expected)
    {
        if (!condition)
        {
            throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) cannot read a tensor of {TensorInfo.Dimensions(this[input])}: it expects "
                + $"{expected}.");
        }
    }

    /// <summary>Whether two sizes can be the same: an open size can be any.</summary>
    public static bool Fit(int a, int b) => a == b || a < 0 || b < 0;
}
