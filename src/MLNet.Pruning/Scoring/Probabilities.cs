using System.Numerics.Tensors;

namespace MLNet.Pruning.Scoring;

/// <summary>Probabilities of logits.</summary>
internal static class Probabilities
{
    /// <summary>Logits up to which one exponential after the other takes less time than to set up vectors of them.</summary>
    private const int Few = 64;

    public static void Softmax(Span<float> scores)
    {
        // Without the largest, which would overflow, as every runtime does.
        TensorPrimitives.Subtract(scores, TensorPrimitives.Max(scores), scores);
        if (scores.Length > Few)
        {
            TensorPrimitives.Exp(scores, scores);
        }
        else
        {
            foreach (ref var score in scores)
            {
                score = MathF.Exp(score);
            }
        }

        TensorPrimitives.Divide(scores, TensorPrimitives.Sum(scores), scores);
    }
}
