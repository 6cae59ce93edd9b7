using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// w (H g): what a weight adds to the squared norm of the gradient, half of it, to first order; weights that hold the flow of gradients back
/// have negative scores and go first (Wang et al. 2020, "Picking Winning Tickets Before Training by Preserving Gradient Flow", equation 8,
/// whose score is the negative of this one). Meant for a network that is not trained yet. Cost: two passes over the rows, the second through
/// the gradient.
/// </summary>
internal sealed class GraspImportance(int rows) : CalibratedImportance(nameof(Grasp), rows)
{
    private readonly int _rows = Rows(rows);

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        run.Differentiate();
        run.MaskGradients();
        var used = run.Parameters.Select(parameter => (parameter.Values, Gradient: parameter.Values.grad)).Where(parameter => parameter.Gradient is not null)
            .Select(parameter => (parameter.Values, Gradient: parameter.Gradient!.clone())).ToArray();
        run.ClearGradients();
        run.ForEachBatch((rows, targets, share) =>
        {
            using Scalar weight = share, one = 1;
            var gradients = autograd.grad([run.Loss(rows, targets).mul(weight)], [.. used.Select(parameter => parameter.Values)], retain_graph: true,
                create_graph: true);
            // The gradient of g'(w) . g with g held fast is H g.
            var product = gradients.Select((gradient, i) => gradient!.mul(used[i].Gradient).sum()).Aggregate((sum, next) => sum.add(next, one));
            if (product.requires_grad)
            {
                product.backward();
            }
        });
        return ImportanceScores.OfWeights(Name, run.Combine((weight, product) => weight * product), context.Masks);
    }
}
