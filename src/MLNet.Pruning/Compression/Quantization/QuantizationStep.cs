using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>How a network is quantised, whatever to.</summary>
internal sealed record QuantizationStep
{
    /// <summary>Rows that are run at a time, where the network's file does not fix that.</summary>
    public const int Batch = 64;

    /// <summary>Range of what lies between layers.</summary>
    public QuantizationRange Range { get; init; } = QuantizationRange.MinMax;

    /// <summary>Range of weights.</summary>
    public QuantizationRange WeightRange { get; init; } = QuantizationRange.MinMax;

    /// <summary>Which integers weights become.</summary>
    public WeightRounding Rounding { get; init; } = WeightRounding.Nearest;

    /// <summary>What is done to the network of floats first; null for nothing.</summary>
    public QuantizationPreparation? Preparation { get; init; }

    /// <summary>Weights that stay zero.</summary>
    public IReadOnlyDictionary<string, WeightMask> Masks { get; init; } = ImmutableDictionary<string, WeightMask>.Empty;

    /// <summary>Where it is to run.</summary>
    public QuantizationTarget Target { get; init; } = QuantizationTarget.Any;

    /// <summary>Rows, of which those to train on are looked at; null where there are none.</summary>
    public TrainingData? Rows { get; init; }

    /// <summary>How many of them.</summary>
    public int Count { get; init; } = 512;

    /// <summary>Draws them.</summary>
    public int Seed { get; init; }

    /// <summary>The same rows for libtorch; null where there are none.</summary>
    public Func<CalibrationData>? Calibration { get; init; }

    /// <summary>Notes what was done and is likely not meant.</summary>
    public List<string> Warnings { get; init; } = [];

    /// <summary>Names of the layers that are quantised; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Measures a network on validation rows, as it is scored; null where there are none.</summary>
    public Func<Network, ValidationResult>? Measure { get; init; }

    /// <summary>Notes what each layer became, where that was chosen.</summary>
    public Dictionary<string, string> Chosen { get; init; } = [];

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Notes what was left as floats, and why.</summary>
    public List<(string Layer, string Reason)> Floats { get; init; } = [];

    /// <summary>The range that is learned; null where all are measured.</summary>
    public LearnedRange? Learning => Range as LearnedRange ?? WeightRange as LearnedRange;

    /// <summary>Where libtorch runs the rows.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public TorchSharp.torch.Device Device => (Calibration ?? throw Missing())().Device;

    /// <summary>The same with a measured range in the place of one that is learned.</summary>
    public QuantizationStep From(QuantizationRange range) => this with
    {
        Range = Range is LearnedRange ? range : Range,
        WeightRange = WeightRange is LearnedRange || (Range is LearnedRange && WeightRange == QuantizationRange.MinMax) ? range : WeightRange,
    };

    /// <summary>Shows tensors of a network, row after row.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public void Visit(Network network, IReadOnlyList<string> tensors, Action<string, ReadOnlySpan<float>> visit)
    {
        using var probe = new TensorProbe(network, tensors);
        foreach (var (values, count) in Batches(network))
        {
            probe.Run(values, count, visit);
        }
    }

    /// <summary>The rows in batches, of which the first so many are there; the array is that of the next batch too.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public IEnumerable<(float[] Values, int Count)> Batches(Network network)
    {
        var data = Rows ?? throw Missing();
        var rows = CalibrationRun.Draw(data, Seed, Count);
        // A file may fix how many rows it reads at a time.
        var batch = network.Input.Shape is [> 0 and var fixedRows, ..] ? fixedRows : Batch;
        var values = new float[batch * data.Width];
        for (var start = 0; start < rows.Length; start += batch)
        {
            CancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(batch, rows.Length - start);
            for (var row = 0; row < count; row++)
            {
                data.Row(rows[start + row]).CopyTo(values.AsSpan(row * data.Width));
            }

            yield return (values, count);
        }
    }

    /// <summary>Starts to run the rows through a network in libtorch; dispose of what is returned.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public CalibrationRun Start(Network network)
        => new(new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty), (Calibration ?? throw Missing())(), Count);

    /// <summary>That no layer could be quantised, and why.</summary>
    public ArgumentException Nothing(Quantizer quantizer) => new($"No layer can be quantised to {quantizer}."
        + string.Concat(Floats.Select(layer => $"{Environment.NewLine}'{layer.Layer}': {layer.Reason}.")));

    private static InvalidOperationException Missing()
        => new("Ranges, and what rounding does, are measured on calibration rows, and there are none: quantise in a chain, or give rows.");
}
