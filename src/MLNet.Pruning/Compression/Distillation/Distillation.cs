using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>How a network learns from a teacher's outputs beside the labels.</summary>
public sealed class Distillation
{
    private Distillation(double temperature, double weight, Network? teacher) => (Temperature, Weight, Teacher) = (temperature, weight, teacher);

    /// <summary>What logits are divided by before the softmax or sigmoid.</summary>
    public double Temperature { get; }

    /// <summary>Share of the teacher in the loss; the rest is the labels'.</summary>
    public double Weight { get; }

    /// <summary>The teacher; null for the network as it was before it was first pruned.</summary>
    public Network? Teacher { get; }

    /// <summary>
    /// Soft labels (Hinton, Vinyals &amp; Dean 2015): weight x temperature^2 x KL(teacher || student) at the temperature + (1 - weight) x the loss
    /// on labels. Of a binary task the two sides are the classes; of a regression the teacher's part is the squared difference to its output,
    /// without a temperature. The teacher's outputs are computed once for every row.
    /// </summary>
    /// <param name="temperature">Above 0; 1 takes the probabilities as they are.</param>
    /// <param name="weight">In (0, 1].</param>
    /// <param name="teacher">A network that reads the same rows; null for the network as it was before it was first pruned.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Distillation Response(double temperature = 4, double weight = 0.9, Network? teacher = null)
    {
        if (!(temperature > 0) || double.IsInfinity(temperature))
        {
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature is a finite number above 0.");
        }

        if (!(weight is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "The teacher's share of the loss lies in (0, 1].");
        }

        return new(temperature, weight, teacher);
    }

    /// <summary>The teacher at work on the rows that are trained on.</summary>
    /// <param name="dense">The network as it was before it was first pruned.</param>
    /// <param name="data">The rows.</param>
    /// <param name="task">What the outputs mean.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="batchSize">Rows at a time.</param>
    internal TeacherOutputs Bind(Network? dense, TrainingData data, LearningTask task, Device device, int batchSize)
        => new(this, Teacher ?? dense ?? throw new InvalidOperationException("Distillation needs a teacher: name one, or distil after a step of pruning, which keeps the network it was given."),
            data, task, device, batchSize);
}
