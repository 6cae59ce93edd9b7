using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Up or down, all weights of a layer together.</summary>
internal sealed class AdaRounding : WeightRounding
{
    // The sigmoid is stretched so that it reaches 0 and 1; choices are driven apart after a fifth of the iterations, as strongly as the error of rounding to
    // the nearest counts.
    private const double Stretch = 0.1, LearningRate = 0.02, Free = 0.2, Strength = 1;
    private readonly int _iterations;

    public AdaRounding(int iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        _iterations = iterations;
    }

    public override string ToString() => Notation.Call(nameof(AdaRound), _iterations);

    internal override long[] Round(WeightToRound weight, QuantizationStep step)
    {
        var nearest = Nearest.Round(weight, step);
        if (!LayerInputs.Has(weight.Network, weight.Layer))
        {
            return nearest;
        }

        using var scope = NewDisposeScope();
        using var run = step.Start(weight.Network);
        var moments = InputMoments.Of(weight.Network, run.Device, layer => layer.Node == weight.Layer.Node);
        InputMoments.Measure(run, moments);
        var inputs = moments[weight.Layer.Node].Inputs;
        var measured = moments[weight.Layer.Node].Mean(run.Count).to(ScalarType.Float32);
        var grid = weight.Grid.Grid;
        var scaleOf = grid.ScalesOf(weight.Parameter.Shape);
        var places = Enumerable.Range(0, inputs.Units).SelectMany(unit => Enumerable.Range(0, inputs.Count).Select(j => (unit, place: inputs.Place(unit, j))))
            .ToArray();
        // What a weight is, in steps, above the integer below it.
        var exact = Array.ConvertAll(places, at => weight.Parameter.Array[at.place] / (double)grid.Scales[scaleOf(at.place)]
            + grid.ZeroPoints[scaleOf(at.place)]);
        var below = Array.ConvertAll(exact, steps => Math.Clamp(Math.Floor(steps), weight.Grid.Lowest, weight.Grid.Highest));
        var above = exact.Select((steps, i) => steps - below[i]).ToArray();
        var isOpen = places.Select((at, i) => weight.Parameter.Array[at.place] != 0 && below[i] < weight.Grid.Highest && above[i] is >= 0 and < 1).ToArray();
        Tensor Matrix(IEnumerable<double> values)
            => tensor(values.Select(value => (float)value).ToArray()).reshape(inputs.Units, inputs.Count).to(run.Device);
        var (target, open) = (Matrix(above), Matrix(isOpen.Select(value => value ? 1.0 : 0)));
        var rest = Matrix(places.Select((at, i) => isOpen[i] ? 0 : nearest[at.place] - below[i]));
        var scales = Matrix(places.Select(at => (double)grid.Scales[scaleOf(at.place)]));
        var plain = Matrix(places.Select((at, i) => nearest[at.place] - below[i]));
        var error = Error(plain, target, scales, measured).item<float>();
        if (!(error > 0))
        {
            return nearest;
        }

        using Scalar zero = 0.0, one = 1.0, two = 2.0, half = 0.5, stretch = Stretch, width = 1 + 2 * Stretch, strength = Strength, slope = 2 / error;
        Tensor Up(Tensor choice) => (choice.sigmoid() * width).sub(stretch).clamp(zero, one);
        var start = above.Select(value => Math.Clamp(value, 0.01, 0.99)).Select(value => Math.Log((value + Stretch) / (1 + Stretch - value)));
        using var choice = new TorchSharp.Modules.Parameter(Matrix(start));
        using var rule = Optimizer.Adam().Create([choice], weightDecay: 0);
        for (var i = 0; i < _iterations; i++)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            using var iteration = NewDisposeScope();
            var up = (Up(choice) * open).add(rest, one);
            // The gradient of an error c M c is 2 M c: with that for a constant the error is linear, and a backward pass takes no product of its own.
            var change = (up - target) * scales;
            var loss = (change.detach().matmul(measured) * change).sum() * slope;
            if (i >= Free * _iterations)
            {
                using Scalar power = Power((i / (double)_iterations - Free) / (1 - Free));
                var undecided = open - (up * two).sub(one).abs().pow(power) * open;
                loss = loss.add(undecided.mean(), strength);
            }

            rule.ClearGradients();
            loss.backward();
            rule.Step(LearningRate);
        }

        using var noGrad = no_grad();
        var chosen = TensorValues.Of((Up(choice).ge(half).to(ScalarType.Float32) * open).add(rest, one));
        var integers = new long[nearest.Length];
        for (var i = 0; i < places.Length; i++)
        {
            integers[places[i].place] = (long)Math.Clamp(below[i] + chosen[i], weight.Grid.Lowest, weight.Grid.Highest);
        }

        return integers;
    }

    /// <summary>From 20, where choices may lie nearly anywhere, to 2 along half a cosine.</summary>
    private static double Power(double share) => 2 + 9 * (1 + Math.Cos(Math.PI * share));

    /// <summary>What a layer's outputs are changed by, squared and summed over units, on average.</summary>
    private static Tensor Error(Tensor up, Tensor target, Tensor scales, Tensor moments)
    {
        var change = (up - target) * scales;
        return (change.matmul(moments) * change).sum();
    }
}
