using System.Diagnostics;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Pipeline.Steps.PruneOneShot;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>
/// Prunes the network of the step before without training, in each of several ways, and hands on the network that is best on the validation rows. What each
/// way gave is in <see cref="PruningReport.Candidates"/>.
/// </summary>
public sealed class PruneOneShotEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly OneShotOptions _options;
    private readonly NetworkStep _step;

    internal PruneOneShotEstimator(IHostEnvironment environment, OneShotOptions options)
    {
        _options = Setting.Present(options, nameof(options));
        foreach (var way in options.Ways())
        {
            way.Options.Validate();
        }

        _step = new(environment, "PruneOneShot", options.Seed);
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
        var rows = _step.Measure(input, channel, _options.Metric, _options.CancellationToken);
        var (start, calibration) = (RewindCheckpoints.Of(rows.State), rows.Calibration());
        var (best, tried, ways, watch) = (default(Trial), new List<OneShotCandidate>(), _options.Ways().ToArray(), Stopwatch.StartNew());
        var (done, all) = (0.0, ways.Sum(way => way.Cost));
        foreach (var way in ways)
        {
            foreach (var trial in Try(way, start, rows, calibration with { Measured = way.Options.Measured }, isFirst: tried.Count == 0))
            {
                var recovery = trial.Recovery == Recovery.None ? null : trial.Recovery.ToString();
                tried.Add(new(way.Options.Importance.ToString()!, recovery, way.Options.Schedule.ToString(), trial.Result, trial.Reason));
                best = trial.Result is { } result && (best?.Result is not { } other || result.IsBetterThan(other)) ? trial : best;
                done += way.Cost / (1.0 + way.Recoveries.Count);
                var progress = new OneShotProgress(tried[^1], Math.Min(1, done / all), watch.Elapsed);
                channel.Info(MessageSensitivity.None, "{0}", progress.ToString());
                _options.Progress?.Report(progress);
            }
        }

        var (network, report) = (best!.Network!, best.Report!);
        foreach (var warning in report.Warnings)
        {
            channel.Warning(MessageSensitivity.None, "{0}", warning);
        }

        return new(RewindCheckpoints.Put(rows.State, network), input.Schema, report with
        {
            Candidates = tried, Settings = StepSettings.Of(best.Way.Options with { Recovery = best.Recovery }, _step.Seed),
        });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric);

    /// <summary>What a way chooses, once, and then what each recovery makes of it.</summary>
    private static IEnumerable<Trial> Try(OneShotWay way, PrunedNetwork start, MeasuredRows rows, CalibrationData calibration, bool isFirst)
    {
        var (pruned, report, reason) = (default(PrunedNetwork), default(PruningReport), default(string));
        try
        {
            (pruned, report) = new PruningLoop(way.Options, rows.Validation.Measure, (_, _) => throw new InvalidOperationException("Nothing is trained."),
                _ => { }, calibration).Run(start, null);
        }
        catch (Exception e) when (!isFirst && e is InvalidOperationException or NotSupportedException)
        {
            // What the plainest way can prune, another may not know how to: its loss has no curvature, or its layers no inputs that it can measure.
            reason = e.Message;
        }

        if (report is { Steps: [.., { Validation: null }] or [] })
        {
            throw new InvalidOperationException("PruneOneShot chooses by validation rows, and there are none: set ValidationFraction above 0 where the "
                + "network is trained or loaded.");
        }

        yield return new(way, Recovery.None, pruned, report, reason);
        foreach (var recovery in way.Recoveries)
        {
            yield return pruned is null ? new(way, recovery, null, null, reason) : Recover(new(way, recovery, pruned, report, null), start, rows, calibration);
        }
    }

    private static Trial Recover(Trial trial, PrunedNetwork start, MeasuredRows rows, CalibrationData calibration)
    {
        var (warnings, steps) = (new List<string>(), trial.Report!.Steps);
        try
        {
            var network = trial.Recovery.Recover(new(start, trial.Network!, trial.Way.Options.Granularity.Structure, calibration, warnings.Add));
            FiniteWeights.Check(network.Network, $"{trial.Recovery} failed", "Normalise the features, or raise the damping.");
            return trial with
            {
                Network = network,
                Report = trial.Report with
                {
                    Steps = [.. steps.SkipLast(1), steps[^1] with { Pruned = rows.Validation.Measure(network.Network) }],
                    Recovery = trial.Recovery.ToString(), Warnings = [.. trial.Report.Warnings, .. warnings.Distinct()],
                },
            };
        }
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException)
        {
            return trial with { Network = null, Report = null, Reason = e.Message };
        }
    }

    /// <summary>What a way and a recovery gave.</summary>
    /// <param name="Way">The way.</param>
    /// <param name="Recovery">The recovery.</param>
    /// <param name="Network">What is left; null where it could not be gone.</param>
    /// <param name="Report">How it came to be.</param>
    /// <param name="Reason">Why it could not.</param>
    private sealed record Trial(OneShotWay Way, Recovery Recovery, PrunedNetwork? Network, PruningReport? Report, string? Reason)
    {
        public ValidationResult? Result => Report?.Steps[^1].Validation;
    }
}
