using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>Which rows of a batch are like which: see <see cref="Distillation.Similarity"/>.</summary>
internal sealed record SampleSimilarity(TensorPair? Pair, double Weight) : SampleTerm(Pair, Weight)
{
    public override string ToString() => Notation.Call(nameof(Distillation.Similarity), Names, Weight);

    /// <summary>The mean over rows x rows is the squared Frobenius norm over the squared number of rows.</summary>
    protected override Tensor Compare(Tensor student, Tensor teacher) => nn.functional.mse_loss(Gram(student), Gram(teacher));

    /// <summary>Products of every two rows, each row's of norm 1.</summary>
    private static Tensor Gram(Tensor rows)
    {
        using Scalar least = 1e-12;
        var products = rows.matmul(rows.transpose(0, 1));
        return products.div(products.norm(1, keepdim: true).clamp_min(least));
    }
}
