using MLNet.Pruning.Pipeline.Steps;

namespace MLNet.Pruning;

/// <summary>
/// Prunes the network of the step before without training, in each of several ways, and hands on the network that is best on the validation rows. What each
/// way gave is in <see cref="PruningReport.Candidates"/>.
/// </summary>
public sealed class PruneOneShotEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly OneShotOptions _options;
    private readonly NetworkStep _step;

    internal PruneOneShotEstimator(IHostEnvironment environment, OneShotOptions options)
    {
        _options = Setting.Present(options, nameof(options));
        foreach (var candidate in options.Candidates())
        {
            candidate.Validate();
        }

        (_environment, _step) = (environment, new(environment, "PruneOneShot", options.Seed));
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step, or there are no validation rows to choose on.</exception>
    /// <exception cref="PruningTargetException">More than the amount is pruned already.</exception>
    /// <exception cref="ArgumentException">A layer's name does not exist, nothing in scope can be pruned, or the metric does not fit the task.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        _step.Require(input);
        using var channel = _step.Start();
        var (best, tried) = (default(NeuralNetworkTransformer), new List<OneShotCandidate>());
        foreach (var options in _options.Candidates())
        {
            var (made, reason) = (default(NeuralNetworkTransformer), default(string));
            try
            {
                made = new PruneEstimator(_environment, options, _step.Seed).Fit(input);
            }
            catch (Exception e) when (tried.Count > 0 && e is InvalidOperationException or NotSupportedException)
            {
                // What the plainest way can prune, another may not know how to: its loss has no curvature, or its layers no inputs that it can measure.
                reason = e.Message;
            }

            var result = Result(made);
            if (made is not null && result is null)
            {
                throw new InvalidOperationException("PruneOneShot chooses by validation rows, and there are none: set ValidationFraction above 0 where the "
                    + "network is trained or loaded.");
            }

            var recovery = options.Recovery == Recovery.None ? null : options.Recovery?.ToString();
            tried.Add(new(options.Importance.ToString()!, recovery, options.Schedule.ToString(), result, reason));
            channel.Info(MessageSensitivity.None, "{0}", tried[^1].ToString());
            _options.Progress?.Report(tried[^1]);
            best = result is { } found && Result(best) is var other && (other is null || found.IsBetterThan(other)) ? made : best;
        }

        return best!.With(best!.GetReport<PruningReport>() with { Candidates = tried });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric);

    private static ValidationResult? Result(NeuralNetworkTransformer? model) => model?.GetReport<PruningReport>().Steps[^1].Validation;
}
