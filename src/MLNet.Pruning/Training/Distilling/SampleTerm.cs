using MLNet.Pruning.Data.Teachers;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>What a student learns of how the rows of a batch lie to one another, by its logits or by an inner tensor.</summary>
/// <param name="Pair">The tensors; null for the logits.</param>
/// <param name="Weight">Factor on it in the loss.</param>
internal abstract record SampleTerm(TensorPair? Pair, double Weight) : DistillationTerm(Weight)
{
    public override ImmutableArray<string> TeacherReads => Pair is null ? [] : [Pair.Teacher];

    /// <summary>The names of the tensors; null for the logits.</summary>
    protected (string Teacher, string Student)? Names => Pair is null ? null : (Pair.Teacher, Pair.Student);

    public override Tensor? Target(Network? teacher, TeacherBatch output) => Pair is null ? null : output.Tensors[Pair.Teacher];

    public override TermLoss Bind(TermContext context)
    {
        Pair?.Require(context);
        return new Loss(this);
    }

    /// <summary>The loss of a batch from rows x values of both, not necessarily equally many.</summary>
    protected abstract Tensor Compare(Tensor student, Tensor teacher);

    private sealed class Loss(SampleTerm term) : TermLoss
    {
        public override IReadOnlyList<string> Reads => term.Pair is null ? [] : [term.Pair.Student];

        public override Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling)
            => term.Compare((term.Pair is null ? student.Logits : student.Tensors[term.Pair.Student]).flatten(1), (target ?? teacher).flatten(1));
    }
}
