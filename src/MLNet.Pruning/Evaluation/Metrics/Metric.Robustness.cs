using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    /// <summary>This metric on rows that are changed: how robust the network is.</summary>
    /// <param name="perturbation">What is done to the rows.</param>
    /// <exception cref="ArgumentException">It is no metric of predictions, or changes rows already.</exception>
    /// <example>
    /// <code>
    /// var robust = Metric.Accuracy.Under(Perturbation.Fgsm(0.1).Within(0, 1));
    /// </code>
    /// </example>
    public Metric Under(Perturbation perturbation)
    {
        ArgumentNullException.ThrowIfNull(perturbation);
        CheckOfPredictions("is a function of predictions");
        return _perturbation is null ? new(Name + UnderWord + perturbation, $"{Legend.TrimEnd('.')}, on rows changed by {perturbation}.", Unit, Direction,
            _measure!, Tasks, perturbation) { Needs = Needs, Row = Row }
            : throw new ArgumentException($"The metric '{Name}' changes rows already.", nameof(perturbation));
    }

    /// <summary>
    /// By how much the network does worse on the rows that are measured than on those it was trained on, by another metric and in its direction; negative
    /// where it does better. It needs both: in a chain the rows that were held back and the others, else
    /// <see cref="EvaluationOptions.TrainingData"/>.
    /// </summary>
    /// <param name="of">The metric of both.</param>
    /// <exception cref="ArgumentException">It is no metric of predictions.</exception>
    public static Metric GeneralizationGap(Metric of)
    {
        ArgumentNullException.ThrowIfNull(of);
        of.CheckOfPredictions("is a function of predictions");
        Metric gap = null!;
        return gap = new(GapWords + of.Name, $"By how much {of.Name} is worse on the rows measured than on those trained on.", of.Unit,
            MetricDirection.LowerIsBetter, trial =>
            {
                var training = of.On(trial.Training ?? throw Trial.Lacks(gap, "the rows that the network was trained on"));
                var held = of.On(trial);
                return new(of.Loss(training.Value, held.Value), training.Note ?? held.Note
                    ?? $"{Text(training.Value, of.Unit)} on the rows trained on, {Text(held.Value, of.Unit)} on those measured");
            }, of.Tasks);
    }
}
