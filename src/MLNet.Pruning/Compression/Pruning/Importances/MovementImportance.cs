using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The sum of -w g over steps of training: weights that move away from zero are worth more than those that move towards it (Sanh et al. 2020,
/// "Movement Pruning: Adaptive Sparsity by Fine-Tuning", equation 4). Within <see cref="SparseTraining.Gradual"/> the steps are those of the
/// training; elsewhere they are a rehearsal: plain stochastic gradient descent over the calibration rows from the weights as they are, which
/// is then forgotten. Cost: one forward and backward pass a row and epoch.
/// </summary>
internal sealed class MovementImportance : CalibratedImportance
{
    private readonly int _rows;
    private readonly int _epochs;
    private readonly double _learningRate;

    public MovementImportance(int rows, int epochs, double learningRate) : base(nameof(Movement), rows, epochs, learningRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        (_rows, _epochs, _learningRate) = (Rows(rows), epochs, learningRate is > 0 and < double.PositiveInfinity ? learningRate
            : throw new ArgumentOutOfRangeException(nameof(learningRate), learningRate, "A learning rate is a finite number above 0."));
    }

    /// <summary>The criterion by sums that were taken in a real training.</summary>
    public static ImportanceScores Of(ImportanceContext context, Dictionary<string, float[]> movement)
        => ImportanceScores.OfWeights($"{nameof(Importance)}.{nameof(Movement)}", movement, context.Masks);

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        using Scalar away = -1.0, step = -_learningRate;
        using var scope = NewDisposeScope();
        var movement = run.Parameters.ToDictionary(parameter => parameter.Name, parameter => zeros_like(parameter.Values));
        for (var epoch = 0; epoch < _epochs; epoch++)
        {
            run.ForEachBatch((rows, targets, _) =>
            {
                run.ClearGradients();
                run.Loss(rows, targets).backward();
                run.MaskGradients();
                using var noGrad = no_grad();
                foreach (var (name, values) in run.Parameters)
                {
                    if (values.grad is { } gradient)
                    {
                        movement[name].addcmul_(values, gradient, away);
                        values.add_(gradient, step);
                    }
                }
            });
        }

        var scores = movement.ToDictionary(sum => sum.Key, sum => TensorValues.Of(sum.Value));
        return scores.Values.All(values => values.All(float.IsFinite)) ? ImportanceScores.OfWeights(Name, scores, context.Masks)
            : throw new InvalidOperationException(
                $"The rehearsal of {Name} diverged: lower its learning rate ({_learningRate}), or normalise the features or the label.");
    }
}
