using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning;

/// <summary>How a network is quantised.</summary>
public record QuantizationOptions
{
    /// <summary>To what weights and the values between layers are rounded.</summary>
    /// <value>Default <see cref="Quantizer.Int8"/>.</value>
    public Quantizer Quantizer { get; init => field = Setting.Present(value); } = Quantizer.Int8();

    /// <summary>Range of the values between layers; of quantisers that round them.</summary>
    /// <value>Default <see cref="QuantizationRange.MinMax"/>.</value>
    public QuantizationRange Range { get; init => field = Setting.Present(value); } = QuantizationRange.MinMax;

    /// <summary>Range of weights; what it starts from where <see cref="Range"/> is <see cref="QuantizationRange.Learned"/>, which learns both.</summary>
    /// <value>Default <see cref="QuantizationRange.MinMax"/>.</value>
    public QuantizationRange WeightRange { get; init => field = Setting.Present(value); } = QuantizationRange.MinMax;

    /// <summary>Which of the integers around it a weight becomes.</summary>
    /// <value>Default <see cref="WeightRounding.Nearest"/>.</value>
    public WeightRounding Rounding { get; init => field = Setting.Present(value); } = WeightRounding.Nearest;

    /// <summary>What is done to the network of floats before it is rounded.</summary>
    /// <value>Default null: nothing.</value>
    public QuantizationPreparation? Preparation { get; init; }

    /// <summary>The machines that it is to run on: they say how many bits weights of 8-bit networks may use.</summary>
    /// <value>Default <see cref="QuantizationTarget.Any"/>: 7.</value>
    public QuantizationTarget Target { get; init => field = Setting.Present(value); } = QuantizationTarget.Any;

    /// <summary>Training rows, drawn by the seed, that ranges and what rounding does are measured on; all where there are fewer. At least 1.</summary>
    /// <value>Default 512.</value>
    public int CalibrationRows { get; init => field = Setting.AtLeast(1, value); } = 512;

    /// <summary>
    /// Epochs of training in which each forward pass rounds what is to be rounded in the end, with steps between integers that are learned: quantisation-aware
    /// training. Of <see cref="Quantizer.Int8"/>, symmetric <see cref="Quantizer.Weights"/>, <see cref="Quantizer.Codebook"/> and
    /// <see cref="Quantizer.Product"/>, and with <see cref="WeightRounding.Nearest"/>. Weights of 2 and 3 bits start best from a <see cref="WeightRange"/> of
    /// <see cref="QuantizationRange.MeanSquaredError"/>. Not negative.
    /// </summary>
    /// <value>Default 0: nothing is trained.</value>
    public int Epochs { get; init => field = Setting.AtLeast(0, value); }

    /// <summary>How those epochs train; its own number of epochs is not used.</summary>
    /// <value>Default null: as the network was trained.</value>
    public TrainingOptions? FineTuning { get; init; }

    /// <summary>Draws the calibration rows, and the order of rows in training.</summary>
    /// <value>Default null: drawn by the <c>MLContext</c>.</value>
    public int? Seed { get; init; }

    /// <summary>What the report measures on the validation rows before and after.</summary>
    /// <value>Default null: that of the network's training, or else the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>Stops between batches and layers with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What they say to the quantiser.</summary>
    internal QuantizationStep Step => new()
    {
        Range = Range, WeightRange = WeightRange, Rounding = Rounding, Preparation = Preparation, Target = Target, Count = CalibrationRows,
        CancellationToken = CancellationToken,
    };

    internal void Validate()
    {
        if (Epochs > 0 && Rounding != WeightRounding.Nearest)
        {
            throw new ArgumentException($"Training rounds to the nearest integers, and then {Rounding} would take others: leave out one of {nameof(Epochs)} "
                + "and "
                + $"{nameof(Rounding)}.", nameof(Rounding));
        }

        if (Epochs > 0 && Preparation is { CorrectsBiases: true })
        {
            throw new ArgumentException($"Training learns biases itself, and {Preparation} would change them once more: leave out one of {nameof(Epochs)} and "
                + $"{nameof(QuantizationPreparation)}.{nameof(QuantizationPreparation.CorrectBias)}.", nameof(Preparation));
        }

        FineTuning?.ValidateWithin("Quantize");
    }
}
