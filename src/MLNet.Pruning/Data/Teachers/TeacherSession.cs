using System.Diagnostics.CodeAnalysis;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>A teacher that knows the rows.</summary>
internal abstract class TeacherSession : IDisposable
{
    /// <summary>Number of its outputs.</summary>
    public abstract int Outputs { get; }

    /// <summary>Its network; null where it is none, or several.</summary>
    public virtual Network? Network => null;

    /// <summary>Whether it reads the student's rows themselves.</summary>
    public virtual bool Shares => false;

    /// <summary>Whether it only reads outputs that were computed before.</summary>
    public virtual bool IsKept => false;

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
