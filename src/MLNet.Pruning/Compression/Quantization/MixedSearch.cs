using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// Ever smaller mixtures of forms: from floats, that layer next gets a smaller form which then loses least for what it saves. What a form loses and takes is
/// measured layer by layer with all others in floats, as in Dong et al. 2019, "HAWQ", by the loss on validation rows instead of the Hessian.
/// </summary>
/// <param name="network">The network of floats, batch normalisation folded.</param>
/// <param name="candidates">The forms.</param>
/// <param name="step">How.</param>
/// <param name="measure">Measures a network on validation rows.</param>
internal sealed class MixedSearch(Network network, ImmutableArray<Quantizer> candidates, QuantizationStep step, Func<Network, ValidationResult> measure)
{
    private readonly ValidationResult _before = measure(network);
    private readonly Dictionary<Mixture, Network> _built = [];
    private readonly Dictionary<(Mixture, CostMeasure), double> _costs = [];
    private readonly Dictionary<Mixture, double> _losses = [];
    private double? _milliseconds;

    /// <summary>The layers with weights of floats, by name.</summary>
    public IReadOnlyList<string> Layers { get; } = [.. network.Layers
        .Where(layer => layer.Weights.Any(name => network[name] is { Type: TensorType.Float, Grid: null })).Select(layer => layer.Node.Name)];

    /// <summary>The mixtures, each smaller than the one before; the first is of floats.</summary>
    /// <param name="isTimed">Whether a layer counts by its multiply-adds too, as for a budget of time.</param>
    public IReadOnlyList<Mixture> Path(bool isTimed)
    {
        var whole = Bytes(network);
        var work = NetworkCost.Of(network, step.CancellationToken).Layers.ToDictionary(layer => layer.Name, layer => layer.MultiplyAdds ?? layer.Weights);
        var forms = Layers.ToDictionary(layer => layer, layer => candidates.Select(form => Alone(layer, form)).OfType<(Quantizer, Network)>()
            .Select(form => (Form: form.Item1, Saves: (whole - Bytes(form.Item2)) * (isTimed ? (double)work[layer] : 1),
                Loses: measure(form.Item2).Loss - _before.Loss)).Where(form => form.Saves > 0).ToArray());
        var (path, now) = (new List<Mixture> { new(ImmutableSortedDictionary<string, Quantizer>.Empty) }, Layers.ToDictionary(layer => layer,
            _ => (Saves: 0.0, Loses: 0.0)));
        while (Layers.SelectMany(layer => forms[layer].Where(form => form.Saves > now[layer].Saves).Select(form => (layer, form)))
            .OrderBy(next => (next.form.Loses - now[next.layer].Loses) / (next.form.Saves - now[next.layer].Saves))
            .Cast<(string, (Quantizer, double, double))?>()
            .FirstOrDefault() is var (layer, (form, saves, loses)))
        {
            now[layer] = (saves, loses);
            path.Add(new(path[^1].Forms.SetItem(layer, form)));
        }

        return path;
    }

    /// <summary>How much of the metric a mixture loses.</summary>
    public double MetricLoss(Mixture mixture) => _losses.TryGetValue(mixture, out var loss) ? loss
        : _losses[mixture] = _before.LossTo(measure(Quantize(mixture)));

    /// <summary>Bytes of its file, or the time of a batch.</summary>
    public double Cost(BudgetLimit limit, Mixture mixture) => _costs.TryGetValue((mixture, limit.Measure), out var cost) ? cost
        : _costs[(mixture, limit.Measure)] = limit.Measure == CostMeasure.Bytes ? Bytes(Quantize(mixture))
            : Milliseconds(Quantize(mixture), limit);

    /// <summary>What a limit allows.</summary>
    public double Most(BudgetLimit limit) => limit.MostOf(() => _milliseconds ??= Milliseconds(network, limit));

    /// <summary>The network in a mixture of forms.</summary>
    public Network Quantize(Mixture mixture)
    {
        if (!_built.TryGetValue(mixture, out var quantized))
        {
            quantized = network;
            foreach (var form in candidates.Where(mixture.Forms.ContainsValue))
            {
                quantized = form.Run(quantized, Of(mixture.Forms.Where(layer => layer.Value == form).Select(layer => layer.Key)));
            }

            _built[mixture] = quantized;
        }

        return quantized;
    }

    private (Quantizer Form, Network Network)? Alone(string layer, Quantizer form)
    {
        step.CancellationToken.ThrowIfCancellationRequested();
        try
        {
            return (form, form.Run(network, Of([layer])));
        }
        catch (ArgumentException)
        {
            // The form is none for this layer.
            return null;
        }
    }

    private QuantizationStep Of(IEnumerable<string> layers) => step with { Only = layers.ToHashSet(), Floats = [] };

    private double Milliseconds(Network timed, BudgetLimit limit) => new NetworkTimer().Milliseconds(timed, limit.Batch, step.CancellationToken);

    private static double Bytes(Network network) => OnnxWriter.Write(network).CalculateSize();
}

/// <summary>The form of each layer by name; of those that are not named floats.</summary>
internal sealed record Mixture(ImmutableSortedDictionary<string, Quantizer> Forms)
{
    // One of a path is equal to itself alone.
    public bool Equals(Mixture? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
