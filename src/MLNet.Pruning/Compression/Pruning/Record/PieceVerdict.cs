using System.Globalization;

namespace MLNet.Pruning;

/// <summary>Why a piece went, or stayed.</summary>
/// <param name="Piece">Its name, such as <c>fc1.weight[3,17]</c> or <c>conv2.weight[5]</c>, in the numbering before the pruning.</param>
/// <param name="Removed">Whether it went: was removed, or set to zero.</param>
/// <param name="Round">The step that took it, from 1; of a piece that stayed, the step in which it was last compared, be it one that was taken back; 0 where it was not compared.</param>
/// <param name="Importance">What it was worth in that step, as it was compared: normalised or layer-adaptive where the options say so. NaN where it was not.</param>
/// <param name="Rank">Its place among the pieces it was compared with, from 1, the least important.</param>
/// <param name="Of">Pieces that were compared: those of its pool, or of its N:M group, that were still there.</param>
/// <param name="Threshold">Importance of the most important piece that went in that comparison; NaN where none did.</param>
/// <param name="Sparsity">Share of all pieces in scope that were gone after that step, in [0, 1).</param>
public sealed record PieceVerdict(string Piece, bool Removed, int Round, double Importance, long Rank, long Of, double Threshold, double Sparsity)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        if (Round == 0)
        {
            return Removed ? $"{Piece} was gone before this pruning" : $"{Piece} stays; the pruning ended before the turn of its layer came";
        }

        var threshold = double.IsNaN(Threshold) ? "nothing went" : string.Create(CultureInfo.InvariantCulture, $"what was worth up to {Threshold:G4} went");
        return string.Create(CultureInfo.InvariantCulture, $"{Piece} {(Removed ? "went" : "stays; last compared")} in round {Round} (sparsity {Sparsity:0.####}): importance {Importance:G4}, number {Rank} of {Of} from the least; {threshold}");
    }
}
