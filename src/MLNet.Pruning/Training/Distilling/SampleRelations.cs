using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>The distances and angles between the rows of a batch: see <see cref="Distillation.Relations"/>.</summary>
/// <param name="Distance">Weight of the distances.</param>
/// <param name="Angle">Weight of the angles.</param>
/// <param name="Pair">The tensors; null for the logits.</param>
internal sealed record SampleRelations(double Distance, double Angle, TensorPair? Pair) : SampleTerm(Pair, 1)
{
    public override string ToString() => Notation.Call(nameof(Distillation.Relations), Distance, Angle, Names);

    protected override Tensor Compare(Tensor student, Tensor teacher)
    {
        using Scalar distance = Distance, angle = Angle, one = 1.0;
        var (own, told) = (Differences(student), Differences(teacher));
        return nn.functional.smooth_l1_loss(Distances(own), Distances(told)).mul(distance)
            .add(nn.functional.smooth_l1_loss(Angles(own), Angles(told)).mul(angle), one);
    }

    /// <summary>Rows x rows x values. Not by way of the Gram matrix, which takes less memory: equal rows then lie at a distance of exactly 0.</summary>
    private static Tensor Differences(Tensor rows) => rows.unsqueeze(0).sub(rows.unsqueeze(1));

    /// <summary>Rows x rows, in units of the mean of those above 0.</summary>
    private static Tensor Distances(Tensor differences)
    {
        using Scalar one = 1.0, least = 1e-12;
        var distances = differences.norm(2);
        return distances.div(distances.sum().div(distances.detach().sign().sum().clamp_min(one)).clamp_min(least));
    }

    /// <summary>Cosines of the angles at every row between every two others, rows x rows x rows.</summary>
    private static Tensor Angles(Tensor differences)
    {
        using Scalar least = 1e-12;
        var directions = differences.div(differences.norm(2, keepdim: true).clamp_min(least));
        return directions.bmm(directions.transpose(1, 2));
    }
}
