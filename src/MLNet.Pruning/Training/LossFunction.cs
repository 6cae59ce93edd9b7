using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Training;

/// <summary>The loss as a TorchSharp operation on a network's logits.</summary>
internal static class LossFunction
{
    /// <summary>The loss itself, or the task's own for <see cref="Loss.Default"/>.</summary>
    /// <exception cref="ArgumentException">The loss belongs to another task.</exception>
    public static Loss Resolve(Loss loss, LearningTask task) => loss == Loss.Default ? task.Losses[0]
        : task.Losses.Contains(loss) ? loss
        : throw new ArgumentException($"The loss {loss} does not fit a {task} task; these do: {string.Join(", ", task.Losses)}.");

    /// <summary>The number in a loss.</summary>
    public static float Value(Tensor loss) => loss.cpu().item<float>();

    /// <param name="loss">A loss that fits the task.</param>
    /// <param name="logits">Batch x outputs.</param>
    /// <param name="targets">Class indexes of the batch, or batch x 1 numbers.</param>
    /// <returns>The mean over the batch.</returns>
    public static Tensor Mean(Loss loss, Tensor logits, Tensor targets) => loss switch
    {
        Loss.CrossEntropy => F.cross_entropy(logits, targets),
        Loss.BinaryCrossEntropy => F.binary_cross_entropy_with_logits(logits, targets),
        Loss.MeanSquaredError => F.mse_loss(logits, targets),
        Loss.MeanAbsoluteError => F.l1_loss(logits, targets),
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "Not a loss."),
    };
}
