using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>One node with the tensors it reads, for the rule that tells what it produces.</summary>
internal sealed class ShapeContext(Node node, ImmutableArray<TensorInfo?> inputs, Symbols symbols)
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

    /// <summary>An axis attribute counted from the first dimension.</summary>
    public int Axis(long axis, int rank, int input = 0)
    {
        Require(axis >= -rank && axis < rank, input, $"an axis {axis} within its dimensions");
        return (int)(axis < 0 ? axis + rank : axis);
    }

    /// <summary>A size that is open because it follows from others by more than a product.</summary>
    public int Derived(string formula, int output, int dimension) => symbols.Open(formula, (node.Outputs[output], dimension));

    /// <summary>Refuses the node where a condition does not hold.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public void Require(bool condition, int input, string expected)
    {
        if (!condition)
        {
            throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) cannot read a tensor of {TensorInfo.Dimensions(this[input])}: it expects {expected}.");
        }
    }

    /// <summary>Whether two sizes can be the same: an open size can be any.</summary>
    public static bool Fit(int a, int b) => a == b || a < 0 || b < 0;
}
