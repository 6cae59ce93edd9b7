using Microsoft.ML;

namespace MLNet.Pruning;

/// <summary>The model that stands before a step in its chain, as a teacher.</summary>
internal static class ChainTeacher
{
    /// <summary>The network in the annotation of the Score column; null where there is none.</summary>
    public static Teacher? Find(DataViewSchema schema) => NetworkAnnotation.Find(schema) is { } state ? new NetworkTeacher(state.Network, state.Inputs) : null;
}
