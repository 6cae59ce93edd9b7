using System.Runtime.InteropServices;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Training;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Runs the calibration rows through a network, batch by batch, as it will be used: without dropout, with the running statistics of batch
/// normalisation, so that no row's result depends on the others'. Memory is that of one batch, whatever the number of rows.
/// </summary>
internal sealed class CalibrationRun : IDisposable
{
    private readonly CalibrationData _data;
    private readonly int[] _rows;
    private readonly DisposeScope _scope;
    private readonly TrainedWeights _weights;
    private readonly Network _network;

    public CalibrationRun(PrunedNetwork pruned, CalibrationData data, int rows)
    {
        (_data, _network) = (data, pruned.Network);
        _rows = Draw(data, rows);
        _scope = NewDisposeScope();
        _weights = new(pruned.Network, pruned.Masks, data.Device);
        Parameters = [.. pruned.Network.Parameters.Where(parameter => parameter.Trainable)
            .Select(parameter => (parameter.Name, (TorchParameter)_weights.Graph.Parameters[parameter.Name]))];
    }

    /// <summary>The parameters that are trained, in the order of the network.</summary>
    public IReadOnlyList<(string Name, TorchParameter Values)> Parameters { get; }

    public TorchGraph Graph => _weights.Graph;

    public LearningTask Task => _data.Task;

    public Loss LossKind => _data.Loss;

    public Device Device => _data.Device;

    /// <summary>Rows at a time, as in training.</summary>
    public int BatchSize => _data.BatchSize;

    /// <summary>Ends the run.</summary>
    public CancellationToken CancellationToken => _data.CancellationToken;

    /// <summary>Number of rows.</summary>
    public int Count => _rows.Length;

    /// <summary>Visits the rows in batches.</summary>
    /// <param name="visit">Gets rows, targets, and the batch's share of all rows.</param>
    /// <param name="size">Rows at a time; by default as many as in training.</param>
    public void ForEachBatch(Action<Tensor, Tensor, double> visit, int? size = null)
    {
        using var batch = new Batch(_data.Rows, _data.Task, Math.Min(size ?? _data.BatchSize, _rows.Length), _data.Device);
        using var threads = new TorchThreads(TorchThreads.Worth(_network, batch.Capacity));
        for (var start = 0; start < _rows.Length; start += batch.Capacity)
        {
            _data.CancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = _rows.AsSpan(start, Math.Min(batch.Capacity, _rows.Length - start));
            var (rows, targets) = batch.Gather(part);
            visit(rows, targets, (double)part.Length / _rows.Length);
        }
    }

    /// <summary>The mean loss of a batch.</summary>
    public Tensor Loss(Tensor rows, Tensor targets) => LossFunction.Mean(_data.Loss, Graph.Forward(rows), targets);

    /// <summary>Leaves the gradient of the mean loss over all rows in the parameters.</summary>
    public void Differentiate()
    {
        ClearGradients();
        ForEachBatch((rows, targets, share) =>
        {
            using Scalar weight = share;
            Loss(rows, targets).mul(weight).backward();
        });
    }

    public void ClearGradients()
    {
        foreach (var (_, values) in Parameters)
        {
            values.grad = null;
        }
    }

    /// <summary>A number a weight, made of its value and its gradient as they are now; a parameter that the outputs do not depend on has gradients of zero.</summary>
    public Dictionary<string, float[]> Combine(Func<float, float, float> score) => Parameters.ToDictionary(parameter => parameter.Name, parameter =>
    {
        CancellationToken.ThrowIfCancellationRequested();
        var values = TensorValues.Of(parameter.Values);
        using var scope = NewDisposeScope();
        var gradient = parameter.Values.grad is { } found ? TensorValues.Of(found) : new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = score(values[i], gradient[i]);
        }

        return values;
    });

    /// <summary>Takes dropped weights out of the gradients.</summary>
    public void MaskGradients() => _weights.MaskGradients();

    public void Dispose()
    {
        _weights.Dispose();
        _scope.Dispose();
    }

    private static int[] Draw(CalibrationData data, int rows)
    {
        var all = data.Rows.TrainingRows.ToArray();
        new Random(data.Seed).Shuffle(all);
        return all.Length <= rows ? all : all[..rows];
    }
}
