using MLNet.Pruning.Data.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>The mean squared difference of attention: see <see cref="Distillation.Attention"/>.</summary>
internal sealed record AttentionDifference(TensorPair Pair, double Weight) : DistillationTerm(Weight)
{
    public override ImmutableArray<string> TeacherReads => [Pair.Teacher];

    public override string ToString() => Notation.Call(nameof(Distillation.Attention), new[] { (Pair.Teacher, Pair.Student) }, Weight);

    public override Tensor? Target(Network? teacher, TeacherBatch output)
        => Attention(output.Tensors[Pair.Teacher], output.Logits.shape[0], FeatureTensors.IsSoftmax(teacher!, Pair.Teacher));

    public override TermLoss Bind(TermContext context)
    {
        var (teacher, student) = Pair.Require(context, rows: false);
        var matrices = FeatureTensors.IsSoftmax(context.Teacher!, Pair.Teacher);
        if (matrices != FeatureTensors.IsSoftmax(context.Student, Pair.Student))
        {
            throw new ArgumentException($"The {(matrices ? "teacher" : "student")}'s '{(matrices ? Pair.Teacher : Pair.Student)}' is the softmax of an "
                + $"attention, the other one of '{Pair.Teacher}' and '{Pair.Student}' is none.");
        }

        if (new[] { teacher.Shape, student.Shape }.Any(shape => (matrices ? shape.Length < 3 : shape.Length != 4) || shape[0] >= 0))
        {
            throw Pair.Misfit(matrices ? "attention matrices are N x heads x length x length" : "feature maps are N x channels x height x width", teacher.Shape,
                student.Shape);
        }

        return teacher.Shape[^2..].Zip(student.Shape[^2..]).Any(sizes => sizes.First >= 0 && sizes.Second >= 0 && sizes.First != sizes.Second)
            ? throw Sizes(matrices, teacher.Shape, student.Shape) : new Loss(this, matrices);
    }

    private ArgumentException Sizes(bool matrices, IEnumerable<int> teacher, IEnumerable<int> student)
        => Pair.Misfit(matrices ? "attention matrices have to be of the same length" : "feature maps have to have the same height and width", teacher, student);

    /// <summary>
    /// Of softmaxes rows x heads x length x length, where the heads may have been folded into the rows, as PyTorch's exports have it. Of
    /// feature maps rows x height x width: the sum of squares over channels, a row's of norm 1.
    /// </summary>
    private static Tensor Attention(Tensor tensor, long rows, bool matrices)
    {
        if (matrices)
        {
            return tensor.reshape(rows, -1, tensor.shape[^2], tensor.shape[^1]);
        }

        using Scalar least = 1e-12;
        var energy = tensor.mul(tensor).sum([1]);
        var flat = energy.flatten(1);
        return flat.div(flat.norm(1, keepdim: true).clamp_min(least)).view_as(energy);
    }

    private sealed class Loss(AttentionDifference term, bool matrices) : TermLoss
    {
        public override IReadOnlyList<string> Reads => [term.Pair.Student];

        public override Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling)
        {
            var (told, own) = (target!, Attention(student.Tensors[term.Pair.Student], student.Logits.shape[0], matrices));
            if (matrices && told.shape[1] != own.shape[1])
            {
                (told, own) = (told.mean([1]), own.mean([1]));
            }

            return own.shape.SequenceEqual(told.shape) ? nn.functional.mse_loss(own, told)
                : throw term.Sizes(matrices, told.shape.Select(size => (int)size), own.shape.Select(size => (int)size));
        }
    }
}
