namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// w^2 F / 2 with the diagonal of the empirical Fisher information, the mean over rows of the squared gradient of a row's loss, in place of the
/// second derivative (Theis et al. 2018, "Faster gaze prediction with dense networks and Fisher pruning"); slices by their sum. Cost: one
/// forward and backward pass a row, each row alone.
/// </summary>
internal sealed class FisherImportance(int rows) : CalibratedImportance(nameof(Fisher), rows)
{
    private readonly int _rows = Rows(rows);

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var squares = new SquaredGradients(run);
        run.ForEachBatch((rows, targets, share) =>
        {
            run.ClearGradients();
            run.Loss(rows, targets).backward();
            squares.Add(share);
        }, size: 1);
        return ImportanceScores.OfWeights(Name, squares.Saliencies(), context.Masks);
    }
}
