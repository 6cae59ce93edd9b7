using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring;

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

    /// <summary>The numbers in losses, in one copy from where they are.</summary>
    public static float[] Values(Tensor[] losses)
    {
        using var scope = NewDisposeScope();
        return stack(losses).cpu().data<float>().ToArray();
    }

    /// <param name="loss">A loss that fits the task.</param>
    /// <param name="logits">Batch x outputs.</param>
    /// <param name="targets">Class indexes of the batch, or batch x 1 numbers.</param>
    /// <param name="weights">How often each row counts, not negative; null for once each.</param>
    /// <returns>
    /// The mean over the batch: the sum of the rows' losses times their weights, over that of the weights; 0 for a batch of rows that count nothing.
    /// </returns>
    public static Tensor Mean(Loss loss, Tensor logits, Tensor targets, Tensor? weights = null)
    {
        if (weights is null)
        {
            return Of(loss, logits, targets, Reduction.Mean);
        }

        using Scalar least = 1.17549435e-38f;
        return Of(loss, logits, targets, Reduction.None).view(-1).mul(weights).sum().div(weights.sum().clamp_min(least));
    }

    private static Tensor Of(Loss loss, Tensor logits, Tensor targets, Reduction reduction) => loss switch
    {
        Loss.CrossEntropy => F.cross_entropy(logits, targets, reduction: reduction),
        Loss.BinaryCrossEntropy => F.binary_cross_entropy_with_logits(logits, targets, reduction: reduction),
        Loss.MeanSquaredError => F.mse_loss(logits, targets, reduction),
        Loss.MeanAbsoluteError => F.l1_loss(logits, targets, reduction),
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "Not a loss."),
    };
}
