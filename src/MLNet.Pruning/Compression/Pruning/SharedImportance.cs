using System.Collections.Immutable;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>The mean importance over several networks of the same structure, each by its own weights.</summary>
internal sealed class SharedImportance : Importance
{
    private readonly Importance _criterion;
    private readonly ImmutableArray<(Importance Importance, Network Network)> _networks;

    /// <param name="criterion">What a piece of one network is worth.</param>
    /// <param name="networks">The networks as they are now, dropped weights at zero.</param>
    public SharedImportance(Importance criterion, IEnumerable<PrunedNetwork> networks)
        => (_criterion, _networks) = (criterion, [.. networks.Select(network => (criterion.Bind(new(network)), network.Network))]);

    public override void ScoreWeights(Parameter parameter, int start, Span<float> scores)
    {
        var own = new float[scores.Length];
        scores.Clear();
        foreach (var (importance, network) in _networks)
        {
            importance.ScoreWeights(network[parameter.Name], start, own);
            for (var i = 0; i < own.Length; i++)
            {
                scores[i] += own[i] / _networks.Length;
            }
        }
    }

    public override void ScoreSlices(Parameter parameter, int dimension, Span<double> scores)
        => Mean(scores, (importance, network, own) => importance.ScoreSlices(network[parameter.Name], dimension, own));

    public override string ToString() => $"{_criterion} over {_networks.Length} networks";

    internal override void ScorePieces(Parameter parameter, PieceLayout pieces, Span<double> scores)
        => Mean(scores, (importance, network, own) => importance.ScorePieces(network[parameter.Name], pieces, own));

    internal override bool Counts(ParameterAxis axis) => _networks[0].Importance.Counts(axis);

    private void Mean(Span<double> scores, Action<Importance, Network, double[]> score)
    {
        scores.Clear();
        foreach (var (importance, network) in _networks)
        {
            var own = new double[scores.Length];
            score(importance, network, own);
            for (var i = 0; i < own.Length; i++)
            {
                scores[i] += own[i] / _networks.Length;
            }
        }
    }
}
