using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning;

public sealed partial class CompressionCatalog
{
    /// <summary>Tells what the steps of a model did, with every network of the chain counted, encoded and timed: a page, a model card, or text.</summary>
    /// <param name="model">A fitted chain, or one that <see cref="Load(string, out DataViewSchema)"/> read.</param>
    /// <param name="options">What else it says; by default nothing.</param>
    /// <exception cref="ArgumentException">The model has neither a neural network nor pruned trees.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var report = ml.Compression().Report(model);
    /// report.SaveHtml("report.html");
    /// report.SaveMarkdown("MODEL_CARD.md");
    /// Console.WriteLine(report);
    /// </code>
    /// </example>
    public CompressionReport Report(ITransformer model, CompressionReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new();
        var steps = new List<ReportedStep>();
        foreach (var step in NetworkChains.Flatten(model))
        {
            if (step is NeuralNetworkTransformer network)
            {
                steps.Add(Reported(Name(network.Report, steps.Count), network.Report, network.Plan, Validation(network.Report), options));
            }
            else if (step is PrunedTreesTransformer { Report: var report } trees)
            {
                ReportedStep Trees(string name, TreeCost cost, StepReport? done, double metric) => new(name, done, NetworkCost.Of(cost, cost.Leaves),
                    cost.Bytes, null, new(metric, double.NaN, report.MetricName));
                steps.AddRange(steps.Count == 0 ? [Trees("trees", report.Before, null, report.MetricBefore)] : []);
                steps.Add(Trees("pruned trees", trees.Cost, report, report.MetricAfter));
            }
        }

        return steps.Count > 0 ? new(steps, options)
            : throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network and no pruned trees in it.", nameof(model));
    }

    /// <summary>Tells the difference of two networks: of one that was read, and what was made of it.</summary>
    /// <param name="before">The network as it was.</param>
    /// <param name="after">What became of it.</param>
    /// <param name="options">What else it says; by default nothing.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var before = Network.FromOnnx("model.onnx");
    /// ml.Compression().Report(before, before.Prune(Amount.Fraction(0.5)).Network).SaveHtml("report.html");
    /// </code>
    /// </example>
    public CompressionReport Report(Network before, Network after, CompressionReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        options ??= new();
        return new([Reported("before", null, ScoringPlan.Undecided(before), null, options),
            Reported("after", null, ScoringPlan.Undecided(after), null, options)], options);
    }

    private static ReportedStep Reported(string name, StepReport? report, ScoringPlan plan, ValidationResult? validation, CompressionReportOptions options)
    {
        var network = plan.Network;
        options.CancellationToken.ThrowIfCancellationRequested();
        var isTimed = options.Latency && network.Inputs.All(input => input.IsKnown && input.Shape.Skip(1).All(size => size >= 0));
        return new(name, report, NetworkCost.Of(network, options.CancellationToken),
            Math.Min(OnnxWriter.Write(network).CalculateSize(), OnnxWriter.Write(network, sparse: true).CalculateSize()),
            isTimed ? plan.Time(1, RunTimes.ForMedian, options.CancellationToken).Median : null, validation) { Network = network };
    }

    private static string Name(StepReport? report, int before) => report switch
    {
        TrainingReport => before == 0 ? "trained" : "fine-tuned",
        PruningReport { Widths.Count: > 0 } or PruningReport { Bypassed.Count: > 0 } => "pruned (removed)",
        PruningReport => "pruned (masked)",
        AutoPruneReport => "pruned to a budget",
        QuantizationReport quantized => $"quantised ({quantized.Quantizer})",
        FactorizationReport factorized => $"factorised ({factorized.Factorizer})",
        _ => "read",
    };

    private static ValidationResult? Validation(StepReport? report) => report switch
    {
        TrainingReport training => training.Validation,
        PruningReport pruning => pruning.Steps.LastOrDefault(step => step.Kept)?.Validation ?? pruning.Before,
        AutoPruneReport search => search.After,
        QuantizationReport quantized => quantized.After,
        FactorizationReport factorized => factorized.After,
        _ => null,
    };
}
