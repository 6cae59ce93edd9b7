using System.Diagnostics.CodeAnalysis;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>The rows that are learned from, and what they are for.</summary>
internal sealed record TeacherStep
{
    /// <summary>The rows as the step gets them.</summary>
    public required IDataView View { get; init; }

    /// <summary>What the student reads of them.</summary>
    public required TrainingData Data { get; init; }

    /// <summary>The columns that the student reads.</summary>
    public required NetworkInputs Inputs { get; init; }

    /// <summary>The label, its task and its key values, where it has some.</summary>
    public required string Label { get; init; }

    /// <inheritdoc cref="Label"/>
    public required LearningTask Task { get; init; }

    /// <inheritdoc cref="Label"/>
    public required LabelKeys? Keys { get; init; }

    public required TorchSharp.torch.Device Device { get; init; }

    /// <summary>Rows at a time.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Ends the distillation.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Bytes of the teacher's outputs that are kept in memory.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Reads the same rows, as that view has them, for a network that reads other columns.</summary>
    public required Func<IDataView, Network, NetworkInputs, TrainingData> Read { get; init; }
}
