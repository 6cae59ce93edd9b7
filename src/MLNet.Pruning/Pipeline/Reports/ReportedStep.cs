namespace MLNet.Pruning;

/// <summary>A model after a step of its chain, in figures.</summary>
public sealed record ReportedStep
{
    internal ReportedStep(string name, StepReport? report, NetworkCost cost, long bytes, double? milliseconds, ValidationResult? validation)
        => (Name, Report, Cost, Bytes, Milliseconds, Validation) = (name, report, cost, bytes, milliseconds, validation);

    /// <summary>What the step did, in a word or two.</summary>
    public string Name { get; }

    /// <summary>What it reported; null where it was only read from a file.</summary>
    public StepReport? Report { get; }

    /// <summary>What the network or the trees hold.</summary>
    public NetworkCost Cost { get; }

    /// <summary>Bytes of the smaller of the ONNX files that the network is saved as, sparse or not; of trees as they are held.</summary>
    public long Bytes { get; }

    /// <summary>Median time of one row on this machine, in milliseconds; null where it was not to be timed or sizes are open.</summary>
    public double? Milliseconds { get; }

    /// <summary>What it measured on the validation rows, as the step itself reported it; null where it did not.</summary>
    public ValidationResult? Validation { get; }

    internal Network? Network { get; init; }
}
