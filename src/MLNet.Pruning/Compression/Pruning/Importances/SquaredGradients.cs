using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Sums of squares of gradients that were taken one after another, by parameter.</summary>
internal sealed class SquaredGradients(CalibrationRun run)
{
    private readonly Dictionary<string, double[]> _sums = [];

    /// <summary>Adds the squares of the gradients as they are now.</summary>
    public void Add(double factor)
    {
        foreach (var (name, values) in run.Parameters)
        {
            Add(name, values.grad, factor);
        }
    }

    /// <summary>Adds the squares of a gradient by one parameter; null for zero.</summary>
    public void Add(string parameter, Tensor? gradient, double factor)
    {
        run.CancellationToken.ThrowIfCancellationRequested();
        if (gradient is { IsInvalid: false })
        {
            var numbers = TensorValues.Of(gradient);
            var sum = _sums.TryGetValue(parameter, out var found) ? found : _sums[parameter] = new double[numbers.Length];
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += factor * numbers[i] * numbers[i];
            }
        }
    }

    /// <summary>Their roots.</summary>
    public Dictionary<string, float[]> Roots() => run.Parameters.ToDictionary(parameter => parameter.Name, parameter
        => Array.ConvertAll(_sums.GetValueOrDefault(parameter.Name) ?? new double[parameter.Values.numel()], sum => (float)Math.Sqrt(sum)));

    /// <summary>w^2 h / 2: what the loss rises by to second order when a weight goes, with the sums as h.</summary>
    public Dictionary<string, float[]> Saliencies() => run.Parameters.ToDictionary(parameter => parameter.Name, parameter =>
    {
        run.CancellationToken.ThrowIfCancellationRequested();
        var saliencies = TensorValues.Of(parameter.Values);
        var curvatures = _sums.GetValueOrDefault(parameter.Name) ?? new double[saliencies.Length];
        for (var i = 0; i < saliencies.Length; i++)
        {
            saliencies[i] = (float)(0.5 * saliencies[i] * saliencies[i] * curvatures[i]);
        }

        return saliencies;
    });
}
