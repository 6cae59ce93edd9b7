using System.Collections.Frozen;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>The operators that compute each value of their result from one value of one tensor, at the same place: activations and functions.</summary>
internal static class UnaryOperators
{
    /// <summary>Those that make zero of zero.</summary>
    public static IReadOnlyList<string> ZeroOfZero { get; } =
    [
        "Relu", "LeakyRelu", "Gelu", "Tanh", "Dropout", "HardSwish", "Elu", "Selu", "Celu", "Softsign", "Mish", "Swish", "ThresholdedRelu", "Erf", "Sqrt", "Abs",
        "Neg", "Ceil", "Floor", "Round", "Sign", "Sin", "Identity", "Cast",
    ];

    /// <summary>Those that make another number of zero, or one that depends on their attributes.</summary>
    public static IReadOnlyList<string> OtherOfZero { get; } = ["Sigmoid", "HardSigmoid", "Softplus", "Exp", "Cos", "Not", "IsNaN", "Clip"];

    /// <summary>Those that are infinite at zero.</summary>
    public static IReadOnlyList<string> InfiniteAtZero { get; } = ["Log", "Reciprocal"];

    public static FrozenSet<string> All { get; } = ZeroOfZero.Concat(OtherOfZero).Concat(InfiniteAtZero).ToFrozenSet();
}
