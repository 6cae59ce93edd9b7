using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Files;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>The validation metric against the sparsity of each layer alone; prints as a table.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed record SensitivityReport : IHtmlDisplay
{
    internal SensitivityReport(ValidationResult before, string granularity, string importance, IReadOnlyList<LayerSensitivity> layers)
        => (Before, Granularity, Importance, Layers) = (before, granularity, importance, layers);

    /// <summary>The network as it is.</summary>
    public ValidationResult Before { get; }

    /// <summary>What was pruned as one, as text.</summary>
    public string Granularity { get; }

    /// <summary>The importance, as text.</summary>
    public string Importance { get; }

    /// <summary>The layers in the order of the network.</summary>
    public IReadOnlyList<LayerSensitivity> Layers { get; internal init; }

    internal LineChart Chart => new($"Validation {Before.Name} with one layer pruned at a time ({Granularity})", $"sparsity of the layer ({Granularity})",
        Before.Name, [0, 0.2, 0.4, 0.6, 0.8, 1], [.. Layers.Select(layer => new ChartLine(layer.Layer,
            string.Create(CultureInfo.InvariantCulture, $"{layer.Layer} ({layer.Total:N0} weights or structures)"),
            [.. layer.Points.Select(point => (point.Sparsity, point.Validation.Metric))]))]);

    /// <summary>The greatest sparsity measured up to which each layer alone loses no more of the metric.</summary>
    /// <param name="metricLoss">Not negative.</param>
    /// <returns>By the name of the layer's weight; what it has now where it tolerates nothing.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="metricLoss"/> is negative or not finite.</exception>
    public IReadOnlyDictionary<string, double> Tolerates(double metricLoss) => metricLoss >= 0 && double.IsFinite(metricLoss)
        ? Layers.GroupBy(layer => layer.Parameter).ToDictionary(layers => layers.Key,
            layers => layers.Min(layer => layer.Points.TakeWhile(point => Before.LossTo(point.Validation) <= metricLoss).Select(point => point.Sparsity)
                .LastOrDefault()))
        : throw new ArgumentOutOfRangeException(nameof(metricLoss), metricLoss, "A loss of metric is a finite number of at least 0.");

    /// <summary>Writes a picture, the metric over the sparsity with a line for each layer, as a standalone SVG file.</summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => Chart.Save(stream));
    }

    /// <summary>Writes the same picture where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveSvg(Stream stream) => Chart.Save(OpenStream.Writable(stream));

    /// <inheritdoc/>
    public override string ToString() => $"{Before}; {Granularity} by {Importance}{Environment.NewLine}{Table()}";

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [new ReportPicture(Chart.Draw(), $"{Granularity} by {Importance}"), Table()];

    private ReportTable Table()
    {
        var columns = Layers.SelectMany(layer => layer.Points.Select(point => point.Requested)).Distinct().Order().ToArray();
        return new(["layer", "total", .. columns.Select(sparsity => sparsity.ToString("0.####", CultureInfo.InvariantCulture))],
            [.. Layers.Select(layer => (string[])[layer.Layer, layer.Total.ToString("N0", CultureInfo.InvariantCulture),
                .. columns.Select(sparsity => layer.Points.FirstOrDefault(point => point.Requested == sparsity)?.Validation.Text ?? "")])]);
    }
}

/// <summary>What a layer alone tolerates.</summary>
public sealed record LayerSensitivity
{
    internal LayerSensitivity(string layer, string parameter, long total, IReadOnlyList<SensitivityPoint> points)
        => (Layer, Parameter, Total, Points) = (layer, parameter, total, points);

    /// <summary>Name of the layer.</summary>
    public string Layer { get; internal init; }

    /// <summary>Name of the weight it is pruned in.</summary>
    public string Parameter { get; }

    /// <summary>Weights or structures it has.</summary>
    public long Total { get; }

    /// <summary>The network as it is, then with the layer at each sparsity, rising.</summary>
    public IReadOnlyList<SensitivityPoint> Points { get; }
}

/// <summary>A layer at one sparsity, all others whole.</summary>
public sealed record SensitivityPoint
{
    internal SensitivityPoint(double requested, double sparsity, ValidationResult validation)
        => (Requested, Sparsity, Validation) = (requested, sparsity, validation);

    /// <summary>The sparsity requested; what the layer has already for the first point.</summary>
    public double Requested { get; }

    /// <summary>Share of its weights or structures that are gone, which is the nearest there is.</summary>
    public double Sparsity { get; }

    /// <summary>The network on the validation rows.</summary>
    public ValidationResult Validation { get; }
}
