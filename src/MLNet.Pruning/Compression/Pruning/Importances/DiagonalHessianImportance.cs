using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Optimal brain damage: w^2 h / 2, what the loss rises by to second order when a weight goes, with the diagonal h of the Gauss-Newton matrix,
/// which LeCun et al. use in place of the Hessian (LeCun, Denker &amp; Solla 1990, "Optimal Brain Damage", equation 5); slices by their sum.
/// </summary>
/// <remarks>
/// The matrix is the mean over rows of J' H J, with the Jacobian J of the logits and the Hessian H of the loss at them, which is a sum of outer
/// products (<see cref="LossCurvature"/>). Exact, each costs a backward pass a row. With probes they are added up with random signs, over all rows
/// of a batch at once, and the square of the sum is right on average (Hutchinson's estimator): a backward pass a batch and probe.
/// </remarks>
internal sealed class DiagonalHessianImportance : CalibratedImportance
{
    private readonly int _rows;
    private readonly int? _probes;

    public DiagonalHessianImportance(int rows, int? probes) : base(nameof(DiagonalHessian), rows, probes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(probes ?? 1, 1, nameof(probes));
        (_rows, _probes) = (Rows(rows), probes);
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        LossCurvature.Check(Name, run.LossKind);
        var squares = new SquaredGradients(run);
        using var random = new Generator(1);
        run.ForEachBatch((rows, _, share) =>
        {
            var logits = run.Graph.Forward(rows);
            var roots = LossCurvature.Roots(run.LossKind, logits.detach());
            var count = rows.shape[0];
            if (_probes is not { } probes)
            {
                for (var k = 0; k < roots.shape[2]; k++)
                {
                    Add(run, squares, logits, roots.select(2, k), share);
                }

                return;
            }

            // The square of a sum over rows with random signs is that of the rows' squares, each as often as it counts, in the mean.
            var (counts, weight) = (run.RowWeights, run.RowWeights is { } weights ? LossFunction.Value(weights.sum()) : count);
            roots = counts is null ? roots : roots.mul(counts.sqrt().view(-1, 1, 1));
            using Scalar half = 0.5, one = 1.0;
            for (var probe = 0; probe < probes; probe++)
            {
                using var scope = NewDisposeScope();
                var signs = rand([count, 1, roots.shape[2]], generator: random).sub(half).sign().to(run.Device);
                Add(run, squares, logits, roots.mul(signs).sum(2), share / weight / probes);
            }
        }, _probes is null ? 1 : null);
        return ImportanceScores.OfWeights(Name, squares.Saliencies(), context.Masks);
    }

    private static void Add(CalibrationRun run, SquaredGradients squares, Tensor logits, Tensor directions, double factor)
    {
        run.CancellationToken.ThrowIfCancellationRequested();
        run.ClearGradients();
        autograd.backward([logits.mul(directions).sum()], retain_graph: true);
        squares.Add(factor);
    }
}
