using System.Collections;

namespace MLNet.Pruning.Structure;

/// <summary>Groups that are the width of one layer.</summary>
/// <param name="Axis">The dimension that makes them.</param>
/// <param name="Kind">What they are.</param>
/// <param name="Groups">In the order of their indices.</param>
internal sealed record GroupFamily(ParameterAxis Axis, StructureKind Kind, ImmutableArray<PruningGroup> Groups);
