namespace MLNet.Pruning.Structure;

/// <summary>What a dimension of a parameter is to the node that reads it.</summary>
internal enum AxisRole
{
    /// <summary>Its indices produce: rows of weights.</summary>
    Output,

    /// <summary>Its indices consume: columns of weights.</summary>
    Input,

    /// <summary>Its indices shift or scale: biases, normalisation.</summary>
    Affine,

    /// <summary>Its indices are removed, but never masked: a variance or a divisor of zero would not be harmless.</summary>
    RemovedOnly,
}

/// <summary>One dimension of a parameter with a class for each index.</summary>
/// <param name="Parameter">Its name.</param>
/// <param name="Dimension">From 0.</param>
/// <param name="Classes">One a index.</param>
/// <param name="Role">What it is to <paramref name="Node"/>.</param>
/// <param name="Node">The first node that ties it to others.</param>
/// <param name="Kind">What its groups are, where it produces.</param>
internal sealed record ParameterAxis(string Parameter, int Dimension, int[] Classes, AxisRole Role, Node Node, StructureKind Kind);
