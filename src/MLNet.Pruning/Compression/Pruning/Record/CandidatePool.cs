namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>Candidates that are compared with each other, and how that went each time.</summary>
internal sealed class CandidatePool
{
    public List<CandidateTable> Tables { get; init; } = [];

    public List<Comparison> Comparisons { get; init; } = [];

    /// <summary>Takes in a comparison; its round is told when the step closes.</summary>
    /// <param name="outcomes">For each table the importance scores of its candidates, and whether they were and are still there.</param>
    /// <param name="ranked">Whether ranks have to be kept: where more than the least important may go.</param>
    /// <param name="cancellation">Ends it.</param>
    public void Compare(IReadOnlyList<CandidateOutcome> outcomes, bool ranked = false, CancellationToken cancellation = default)
    {
        var of = outcomes.Sum(outcome => outcome.Remained.LongCount(remained => remained));
        var ranks = ranked ? Ranks(outcomes) : null;
        var threshold = double.NaN;
        var number = Comparisons.Count + 1 < CandidateTable.Earlier ? (ushort)(Comparisons.Count + 1)
            : throw new InvalidOperationException($"The weights or structures of {string.Join(", ", Tables.Select(table => table.Name))} would be compared "
                + $"more than {CandidateTable.Earlier - 1} times: take more of them at a time.");
        for (var t = 0; t < Tables.Count; t++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (scores, remained, remains) = outcomes[t];
            for (var i = 0; i < scores.Length; i++)
            {
                threshold = remained[i] && !remains[i] && !(scores[i] <= threshold) ? scores[i] : threshold;
            }

            Tables[t].Compare(scores, remained, remains, number, ranks?[t]);
        }

        Comparisons.Add(new(0, of, threshold, 0, true));
    }

    /// <summary>Tells the comparisons of a step its number, and takes back what went where the step was taken back.</summary>
    public void Close(int round, double sparsity, bool kept)
    {
        var first = Comparisons.FindIndex(comparison => comparison.Round == 0);
        for (var i = first; i >= 0 && i < Comparisons.Count; i++)
        {
            Comparisons[i] = Comparisons[i] with { Round = round, Sparsity = sparsity, Kept = kept };
        }

        if (first >= 0 && !kept)
        {
            Tables.ForEach(table => table.TakeBack((ushort)(first + 1)));
        }
    }

    public PruningDecision Decision(CandidateTable table, int candidate, string name)
    {
        // Of a layer whose turn did not come nothing is known but that it is there.
        var went = table.Went.Length == 0 ? (ushort)0 : table.Went[candidate];
        if (went == CandidateTable.Earlier || table.Went.Length == 0)
        {
            return new(name, went != 0, 0, double.NaN, 0, 0, double.NaN, 0);
        }

        var number = went == 0 ? Comparisons.Count : went;
        var comparison = Comparisons[number - 1];
        var score = table.Scores[candidate];
        if (table.Ranks is { } ranks)
        {
            return new(name, went != 0, comparison.Round, score, ranks[candidate], comparison.Of, comparison.Threshold, comparison.Sparsity);
        }

        var (below, of, threshold) = (0L, comparison.Of, comparison.Threshold);
        if (table.Pattern is { } pattern)
        {
            (of, threshold) = (0, double.NaN);
            var first = candidate / pattern.Stride / pattern.Size * pattern.Size * pattern.Stride + candidate % pattern.Stride;
            for (var i = first; i < first + pattern.Size * pattern.Stride; i += pattern.Stride)
            {
                var other = table.Went[i];
                below += IsBelow(table, i, i < candidate) ? 1 : 0;
                of += other == 0 || (other >= number && other != CandidateTable.Earlier) ? 1 : 0;
                threshold = other == number && !(table.Scores[i] <= threshold) ? table.Scores[i] : threshold;
            }
        }
        else
        {
            var own = Tables.IndexOf(table);
            for (var t = 0; t < Tables.Count; t++)
            {
                for (var i = 0; i < Tables[t].Went.Length; i++)
                {
                    below += IsBelow(Tables[t], i, t < own || (t == own && i < candidate)) ? 1 : 0;
                }
            }
        }

        return new(name, went != 0, comparison.Round, score, below + 1, of, threshold, comparison.Sparsity);

        // Those that went in the same comparison, and for one that stayed those that stayed: all have the scores of that comparison.
        bool IsBelow(CandidateTable other, int i, bool isBefore) => (other.Went[i] == number || (went == 0 && other.Went[i] == 0))
            && (other.Scores[i] < score || (other.Scores[i] == score && isBefore));
    }

    private static int[][] Ranks(IReadOnlyList<CandidateOutcome> outcomes)
    {
        var ranks = outcomes.Select(outcome => new int[outcome.Scores.Length]).ToArray();
        var rank = 0;
        foreach (var (table, candidate) in outcomes.SelectMany((outcome, table) =>
            Enumerable.Range(0, outcome.Scores.Length).Where(i => outcome.Remained[i]).Select(i => (table, i)))
            .OrderBy(place => outcomes[place.table].Scores[place.i]))
        {
            ranks[table][candidate] = ++rank;
        }

        return ranks;
    }
}

/// <summary>What a comparison made of the candidates of a table.</summary>
/// <param name="Scores">What each is worth; of those that are gone, anything.</param>
/// <param name="Remained">Whether it was there to be compared.</param>
/// <param name="Remains">Whether it is still there.</param>
internal readonly record struct CandidateOutcome(float[] Scores, bool[] Remained, bool[] Remains);

/// <summary>One comparison of the candidates of a pool.</summary>
/// <param name="Round">The step it was part of, from 1; 0 while that goes on.</param>
/// <param name="Of">Candidates compared.</param>
/// <param name="Threshold">The largest importance among those that went; NaN for none.</param>
/// <param name="Sparsity">After the step.</param>
/// <param name="Kept">False where the step was taken back.</param>
internal readonly record struct Comparison(int Round, long Of, double Threshold, double Sparsity, bool Kept);
