using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>A criterion as it stands at the present step of a pruning, so that a plan made at the start sees every later measurement.</summary>
internal sealed class StepImportance : Importance
{
    private readonly Importance _criterion;
    private Importance _measured;
    private Calibration? _calibration;

    public StepImportance(Importance criterion) => _measured = _criterion = criterion;

    /// <summary>Measures for the next step.</summary>
    public void Measure(Calibration calibration)
    {
        _calibration = calibration;
        _measured = _criterion.Bind(calibration);
    }

    /// <summary>Measures in mid-step, on the rows of before, what is left after a part of it.</summary>
    /// <param name="part">The network after the part.</param>
    /// <returns>The network with weights that make up for what went.</returns>
    public PrunedNetwork Follow(PrunedNetwork part)
    {
        var compensated = Compensate(part);
        if (_calibration is not null)
        {
            Measure(_calibration.Of(compensated));
        }

        return compensated;
    }

    /// <summary>Takes what was measured elsewhere for the next step.</summary>
    public void Use(Importance measured) => _measured = measured;

    public override void ScoreWeights(Parameter parameter, int start, Span<float> scores) => _measured.ScoreWeights(parameter, start, scores);

    public override void ScoreSlices(Parameter parameter, int dimension, Span<double> scores) => _measured.ScoreSlices(parameter, dimension, scores);

    public override string ToString() => _criterion.ToString()!;

    internal override void ScorePieces(Parameter parameter, PieceLayout pieces, Span<double> scores) => _measured.ScorePieces(parameter, pieces, scores);

    internal override bool Counts(ParameterAxis axis) => _measured.Counts(axis);

    internal override double? ScoreCut(Func<Network> without) => _measured.ScoreCut(without);

    internal override PrunedNetwork Compensate(PrunedNetwork pruned) => _measured.Compensate(pruned);
}
