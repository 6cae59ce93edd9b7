using System.Diagnostics.CodeAnalysis;
using Microsoft.ML;

namespace MLNet.Pruning;

/// <summary>Who a network learns from beside the labels. A <see cref="Network"/> is one as it is.</summary>
public abstract class Teacher
{
    private protected Teacher()
    {
    }

    /// <summary>A network that reads the same columns as the student.</summary>
    /// <param name="network">The network, with values; null for no teacher.</param>
    [return: NotNullIfNotNull(nameof(network))]
    public static implicit operator Teacher?(Network? network) => network is null ? null : new NetworkTeacher(network, null);

    /// <summary>The network where it is one, which files can keep; else null.</summary>
    internal virtual Network? Network => null;

    /// <summary>The teacher at work on the rows of a step.</summary>
    /// <exception cref="ArgumentException">It does not fit the rows or the task.</exception>
    internal abstract BoundTeacher Bind(TeacherStep step);
}

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

    /// <summary>Reads the same rows for a network that reads other columns.</summary>
    public required Func<Network, NetworkInputs, TrainingData> Read { get; init; }
}

/// <summary>A teacher that knows the rows.</summary>
internal abstract class BoundTeacher : IDisposable
{
    /// <summary>Number of its outputs.</summary>
    public abstract int Outputs { get; }

    /// <summary>Its network; null where it is none, or several.</summary>
    public virtual Network? Network => null;

    /// <summary>Whether it reads the student's rows themselves.</summary>
    public virtual bool Shares => false;

    /// <summary>What it says of rows.</summary>
    /// <param name="rows">Which rows of the step's data.</param>
    /// <param name="reads">Names of the tensors that are wanted beside the logits.</param>
    /// <param name="changed">The rows as augmentation changed them; null where they are as they were.</param>
    /// <exception cref="NotSupportedException">It cannot tell more than the scores of rows as they were.</exception>
    public abstract TeacherBatch Run(ReadOnlySpan<int> rows, IReadOnlyCollection<string> reads, TorchSharp.torch.Tensor? changed);

    public virtual void Dispose()
    {
    }
}

/// <summary>What a teacher says of a batch.</summary>
/// <param name="Logits">Rows x outputs.</param>
/// <param name="Tensors">The tensors asked for, by the names they were asked for.</param>
internal readonly record struct TeacherBatch(TorchSharp.torch.Tensor Logits, IReadOnlyDictionary<string, TorchSharp.torch.Tensor> Tensors);
