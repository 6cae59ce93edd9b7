using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>The matrix H of a row's loss over its logits, by roots R: H = R R'.</summary>
internal static class LossCurvature
{
    /// <summary>Refuses a loss that has none.</summary>
    /// <param name="criterion">Name of the criterion that asks.</param>
    /// <param name="loss">The loss.</param>
    /// <exception cref="InvalidOperationException">The loss is the absolute error.</exception>
    public static void Check(string criterion, Loss loss)
    {
        if (loss == Loss.MeanAbsoluteError)
        {
            throw new InvalidOperationException($"{criterion} needs a loss with a curvature; the absolute error has none: use Loss.MeanSquaredError, or "
                + "Importance.Fisher.");
        }
    }

    /// <summary>
    /// Of the Hessian: sqrt(p_k) (e_k - p) over the classes k for cross-entropy, sqrt(p (1 - p)) for binary cross-entropy, sqrt(2) for squares.
    /// </summary>
    /// <param name="loss">A loss that has one.</param>
    /// <param name="logits">Rows x outputs.</param>
    /// <returns>Rows x outputs x roots.</returns>
    public static Tensor Roots(Loss loss, Tensor logits)
    {
        if (loss == Loss.MeanSquaredError)
        {
            using Scalar root = Math.Sqrt(2);
            return ones_like(logits).mul(root).unsqueeze(2);
        }

        if (loss == Loss.BinaryCrossEntropy)
        {
            return logits.sigmoid().mul(logits.neg().sigmoid()).sqrt().unsqueeze(2);
        }

        using Scalar minus = -1.0;
        var p = logits.softmax(1);
        var roots = p.sqrt();
        var diagonal = roots.unsqueeze(2).mul(ones([roots.shape[1]], device: roots.device).diag());
        return diagonal.add(p.unsqueeze(2).matmul(roots.unsqueeze(1)), minus);
    }

    /// <summary>H times a vector for each row.</summary>
    /// <param name="loss">A loss that has one.</param>
    /// <param name="logits">Rows x outputs.</param>
    /// <param name="vectors">Rows x outputs.</param>
    public static Tensor Times(Loss loss, Tensor logits, Tensor vectors)
    {
        if (loss == Loss.CrossEntropy)
        {
            // Of a thousand classes the roots of a row are a million numbers, and this is a thousand.
            using Scalar minus = -1.0;
            var p = logits.softmax(1);
            var weighted = p.mul(vectors);
            return weighted.add(p.mul(weighted.sum(1, keepdim: true)), minus);
        }

        var roots = Roots(loss, logits);
        return roots.matmul(roots.transpose(1, 2).matmul(vectors.unsqueeze(2))).squeeze(2);
    }
}
