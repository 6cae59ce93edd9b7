using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>Scores rows with trees that it shares with other scorers of the same model.</summary>
internal sealed class TreeScorer(PackedTrees trees, int batch) : IBatchScorer
{
    private readonly TreeScratch _scratch = trees.CreateScratch();
    private readonly float[] _scores = new float[batch * trees.Model.Outputs];

    public int Width => trees.Model.Width;

    public float[] Rows { get; } = new float[batch * trees.Model.Width];

    public ReadOnlySpan<float> Scores(int row) => Own(row);

    public void Run(int count)
    {
        trees.Score(Rows, count, _scratch, _scores);
        for (var row = 0; row < count; row++)
        {
            trees.Model.Finish(Own(row));
        }
    }

    public void Dispose()
    {
    }

    private Span<float> Own(int row) => _scores.AsSpan(row * trees.Model.Outputs, trees.Model.Outputs);
}
