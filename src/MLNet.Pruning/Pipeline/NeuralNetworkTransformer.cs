using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning;

/// <summary>
/// Scores rows with a network, and hands the network on to later steps of the chain in the annotations of its Score column. Appends
/// <c>PredictedLabel</c> and <c>Score</c> for classes, <c>PredictedLabel</c>, <c>Score</c> and <c>Probability</c> for two sides,
/// <c>Score</c> for numbers.
/// </summary>
public sealed class NeuralNetworkTransformer : ITransformer
{
    private readonly NetworkState _state;

    internal NeuralNetworkTransformer(NetworkState state, IReadOnlyList<EpochResult> history, PruningReport? pruning = null)
        => (_state, History, Pruning) = (state, [.. history], pruning);

    /// <summary>The network.</summary>
    public Network Network => _state.Network;

    /// <summary>What its outputs mean.</summary>
    public LearningTask Task => _state.Task;

    /// <summary>Which weights later steps of the chain hold at zero, by the name of their parameter.</summary>
    public ImmutableDictionary<string, WeightMask> Masks => _state.Masks;

    /// <summary>The epochs of this step's training; empty for a pruning.</summary>
    public ImmutableArray<EpochResult> History { get; }

    /// <summary>The steps of this step's pruning; null for a training.</summary>
    public PruningReport? Pruning { get; }

    /// <summary>True: every row is scored by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Features(inputSchema);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(inputSchema);
        schema.AddColumns(ScoreColumns.Describe(_state.Task, Network.Output.RowSize, _state.Keys, _state, inputSchema));
        return schema.ToSchema();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoringView(this, input);
    }

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new ScoringMapper(this, inputSchema);
    }

    /// <summary>Not supported yet: a network cannot be written to an ML.NET model file.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException(
        "A neural network cannot be saved to an ML.NET model file yet. Keep NeuralNetworkTransformer.Network, or score in the process that trained it.");

    /// <summary>The column the network reads.</summary>
    internal DataViewSchema.Column Features(DataViewSchema schema) => TrainingRows.Features(schema, _state.Features, Network.Input.RowSize);

    internal Scorer CreateScorer(int batch) => new(Network, softmax: _state.Task == LearningTask.Multiclass, batch);
}
