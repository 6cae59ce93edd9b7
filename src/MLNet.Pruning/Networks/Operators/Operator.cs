namespace MLNet.Pruning.Networks.Operators;

/// <summary>What is known of an operator of the standard, told once: shapes, coupling, live paths, costs and what is trained are read off it.</summary>
/// <param name="Name">Its ONNX name.</param>
/// <param name="Shape">What it produces.</param>
internal sealed record Operator(string Name, ShapeInference.Rule Shape)
{
    /// <summary>The dimensions that a node works over which reads a tensor of so many dimensions, in a file of a version of the standard.</summary>
    public delegate IEnumerable<int> Dimensions(Node node, int rank, long opset);

    /// <summary>Whether it computes each value from those of its operands at the same place, aligned from the right; size 1 goes with every index.</summary>
    public bool IsElementwise { get; init; }

    /// <summary>Whether it is one of these with a single tensor; what else it reads are numbers, such as bounds.</summary>
    public bool IsUnary { get; init; }

    /// <summary>When a value of the result is zero.</summary>
    public Zeros Zeros { get; init; } = Zeros.Lost;

    /// <summary>
    /// For operators that work over some dimensions of their first operand and on each index of the others apart: those dimensions, which may be left out of
    /// the result; one that the result has in another size is worked over too. Null for operators that do otherwise.
    /// </summary>
    public Dimensions? Over { get; init; }

    /// <summary>
    /// For operators that scale and shift what they computed by their second and third operand: the dimension of the result that the first dimension of these
    /// belongs to; negative where they are aligned from the right. Null for operators that do not.
    /// </summary>
    public int? Scaled { get; init; }

    /// <summary>What becomes of the values of the operands.</summary>
    public Values Values { get; init; }

    /// <summary>Type of what it computes where that is always the same; null where it follows from operands or attributes.</summary>
    public TensorType? Type { get; init; }

    /// <summary>Where it multiplies with a weight.</summary>
    public IReadOnlyList<WeightOperand> Weights { get; init; } = [];

    /// <summary>Operands that training changes where they are floats that a file holds.</summary>
    public IReadOnlyList<int> Trained { get; init; } = [];
}

/// <summary>When a value that an operator computes is zero for certain.</summary>
internal enum Zeros
{
    /// <summary>Never, or for reasons of its own.</summary>
    Lost,

    /// <summary>Where all operands are zero.</summary>
    OfEvery,

    /// <summary>Where one of the operands is zero.</summary>
    OfAny,

    /// <summary>Where the first operand is zero.</summary>
    OfFirst,

    /// <summary>Where the second and the third operand are zero: the first only picks one of them.</summary>
    OfBranches,

    /// <summary>Never: it is infinite, or no number, where its operand is zero.</summary>
    Infinite,
}

/// <summary>What an operator does to the values that it reads.</summary>
internal enum Values
{
    /// <summary>It computes others.</summary>
    Computed,

    /// <summary>It picks, repeats or joins some of them.</summary>
    Picked,

    /// <summary>It shows all of its only tensor, each once, in another shape, order or type.</summary>
    Shown,
}
