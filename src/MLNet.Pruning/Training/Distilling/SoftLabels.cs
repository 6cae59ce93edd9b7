using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>The divergence of the student's probabilities from the teacher's, both softened by a temperature.</summary>
internal sealed record SoftLabels(double Temperature, double Weight) : DistillationTerm(Weight)
{
    /// <summary>Below, exponents of logits in single precision no longer tell anything.</summary>
    private const double LowestTemperature = 0.1;

    public override double Share => Weight;

    public override string ToString() => Notation.Call(nameof(Distillation.Response), Temperature, Weight);

    public override TermLoss Bind(TermContext context) => new Loss(context.Task, Temperature);

    private sealed class Loss(LearningTask task, double temperature) : TermLoss
    {
        public override Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling)
        {
            if (!task.IsClassification)
            {
                return nn.functional.mse_loss(student.Logits, teacher);
            }

            var now = Math.Max(LowestTemperature, temperature * cooling);
            using Scalar factor = 1 / now;
            using Scalar squared = now * now;
            var (cool, told) = (student.Logits.mul(factor), teacher.mul(factor));
            return (task.HasOutputPerClass ? Divergence(cool.log_softmax(-1), told.log_softmax(-1)) : BinaryDivergence(cool, told)).mul(squared);
        }

        /// <summary>KL between classes, a mean over rows.</summary>
        private static Tensor Divergence(Tensor student, Tensor teacher)
        {
            using Scalar share = 1.0 / student.shape[0];
            return teacher.exp().mul(teacher.sub(student)).sum().mul(share);
        }

        /// <summary>KL between two Bernoulli distributions: the cross-entropy less the teacher's own entropy.</summary>
        private static Tensor BinaryDivergence(Tensor logits, Tensor teacher)
        {
            var target = teacher.sigmoid();
            return nn.functional.binary_cross_entropy_with_logits(logits, target) - nn.functional.binary_cross_entropy_with_logits(teacher, target);
        }
    }
}
