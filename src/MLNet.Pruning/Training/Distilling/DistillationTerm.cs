using MLNet.Pruning.Data.Teachers;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>One kind of what a student learns from its teacher.</summary>
/// <param name="Weight">Factor on it in the loss.</param>
internal abstract record DistillationTerm(double Weight)
{
    /// <summary>Share of the loss that it takes from the labels.</summary>
    public virtual double Share => 0;

    /// <summary>The teacher's tensors that <see cref="Target"/> reads beside its logits, as <see cref="FeatureTensors"/> finds them.</summary>
    public virtual ImmutableArray<string> TeacherReads => [];

    /// <summary>What is kept of the teacher beside its logits, computed once a row; null where nothing is.</summary>
    /// <param name="teacher">The teacher's network; null where it is none, or several.</param>
    /// <param name="output">What it puts out for a batch, with the tensors in <see cref="TeacherReads"/>.</param>
    /// <returns>Rows x anything, of one size for every row.</returns>
    public virtual Tensor? Target(Network? teacher, TeacherBatch output) => null;

    /// <summary>The loss of a student.</summary>
    /// <exception cref="ArgumentException">The networks do not have what it reads, or it does not fit the task.</exception>
    public abstract TermLoss Bind(TermContext context);
}

/// <summary>Between whom a term is.</summary>
/// <param name="Student">The network that is trained.</param>
/// <param name="Teacher">The teacher's network; null where the teacher is none, or several.</param>
/// <param name="Outputs">Outputs of the teacher.</param>
/// <param name="Task">What the outputs mean.</param>
/// <param name="Device">Where to compute.</param>
/// <param name="Seed">Seed of what the term draws.</param>
internal sealed record TermContext(Network Student, Network? Teacher, int Outputs, LearningTask Task, Device Device, int Seed);

/// <summary>A term's loss in one training.</summary>
internal abstract class TermLoss : IDisposable
{
    /// <summary>The student's tensors that it reads beside the logits.</summary>
    public virtual IReadOnlyList<string> Reads => [];

    /// <summary>What is trained along with the student and thrown away at the end.</summary>
    public virtual IReadOnlyList<TorchParameter> Trained => [];

    /// <summary>The loss of a batch, a mean over its rows.</summary>
    /// <param name="student">What the student made of the rows.</param>
    /// <param name="teacher">The teacher's logits, rows x outputs.</param>
    /// <param name="target">What <see cref="DistillationTerm.Target"/> kept, of these rows and in that shape.</param>
    /// <param name="cooling">Factor on the temperature.</param>
    public abstract Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling);

    public virtual void Dispose()
    {
    }
}

/// <summary>What a student made of a batch.</summary>
/// <param name="Logits">Rows x outputs.</param>
/// <param name="Tensors">The tensors that terms read, by name.</param>
internal readonly record struct StudentBatch(Tensor Logits, IReadOnlyDictionary<string, Tensor> Tensors);
