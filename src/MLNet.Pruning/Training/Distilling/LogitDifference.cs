using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>The mean squared difference of logits.</summary>
internal sealed record LogitDifference(double Weight) : DistillationTerm(Weight)
{
    public override double Share => Weight;

    public override string ToString() => Notation.Call(nameof(Distillation.Logits), Weight);

    public override TermLoss Bind(TermContext context) => new Loss();

    private sealed class Loss : TermLoss
    {
        public override Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling) => nn.functional.mse_loss(student.Logits, teacher);
    }
}
