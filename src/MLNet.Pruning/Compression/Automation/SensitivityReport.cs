using System.Globalization;

namespace MLNet.Pruning;

/// <summary>The validation metric against the sparsity of each layer alone; prints as a table.</summary>
/// <param name="Before">The network as it is.</param>
/// <param name="Granularity">What the pieces are, as text.</param>
/// <param name="Importance">What they were worth, as text.</param>
/// <param name="Layers">The layers in the order of the network.</param>
public sealed record SensitivityReport(ValidationResult Before, string Granularity, string Importance, IReadOnlyList<LayerSensitivity> Layers)
{
    /// <summary>The greatest sparsity measured up to which each layer alone loses no more of the metric.</summary>
    /// <param name="metricLoss">Not negative.</param>
    /// <returns>By the name of the layer's weight; what it has now where it bears nothing.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="metricLoss"/> is negative or not finite.</exception>
    public IReadOnlyDictionary<string, double> Bears(double metricLoss) => metricLoss >= 0 && double.IsFinite(metricLoss)
        ? Layers.GroupBy(layer => layer.Parameter).ToDictionary(layers => layers.Key, layers => layers.Min(layer => layer.Points.TakeWhile(point => Before.Metric - point.Validation.Metric <= metricLoss).Select(point => point.Sparsity).LastOrDefault()))
        : throw new ArgumentOutOfRangeException(nameof(metricLoss), metricLoss, "A loss of metric is a finite number of at least 0.");

    /// <summary>Writes a picture, the metric over the sparsity with a line for each layer, as a standalone SVG file.</summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => new SensitivityChart(this).Save(stream));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var columns = Layers.SelectMany(layer => layer.Points.Select(point => point.Asked)).Distinct().Order().ToArray();
        return $"{Before}; {Granularity} by {Importance}{Environment.NewLine}" + TextTable.Format(["layer", "pieces", .. columns.Select(sparsity => sparsity.ToString("0.####", CultureInfo.InvariantCulture))],
            [.. Layers.Select(layer => (string[])[layer.Layer, layer.Pieces.ToString("N0", CultureInfo.InvariantCulture),
                .. columns.Select(sparsity => layer.Points.FirstOrDefault(point => point.Asked == sparsity)?.Validation.Metric.ToString("0.0000", CultureInfo.InvariantCulture) ?? "")])]);
    }
}

/// <summary>What a layer alone bears.</summary>
/// <param name="Layer">Name of the layer.</param>
/// <param name="Parameter">Name of the weight whose pieces go.</param>
/// <param name="Pieces">Pieces it has.</param>
/// <param name="Points">The network as it is, then with the layer at each sparsity, rising.</param>
public sealed record LayerSensitivity(string Layer, string Parameter, long Pieces, IReadOnlyList<SensitivityPoint> Points);

/// <summary>A layer at one sparsity, all others whole.</summary>
/// <param name="Asked">The sparsity asked for; what the layer has already for the first point.</param>
/// <param name="Sparsity">Share of its pieces that are gone, which is the nearest there is.</param>
/// <param name="Validation">The network on the validation rows.</param>
public sealed record SensitivityPoint(double Asked, double Sparsity, ValidationResult Validation);
