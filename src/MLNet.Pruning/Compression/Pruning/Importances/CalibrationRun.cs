using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Training;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning;

/// <summary>
/// Runs the calibration rows through a network, batch by batch, as it will be used: without dropout, with the running statistics of batch
/// normalisation, so that no row's result depends on the others'. Memory is that of one batch, whatever the number of rows. Tensors that are made
/// within a batch are freed after it, unless they are moved out of its dispose scope.
/// </summary>
/// <example>
/// The mean size of what each unit of a dense layer puts out:
/// <code>
/// var sums = torch.zeros(network["fc1.bias"].Count);
/// run.ForEachBatch((rows, targets, share) =&gt; run.Forward(rows, (node, find) =&gt;
/// {
///     if (node.Name == "fc1")
///     {
///         sums.add_(find(node.Outputs[0]).detach().abs().mean([0]) * share);
///     }
/// }));
/// </code>
/// </example>
public sealed class CalibrationRun : IDisposable
{
    private readonly CalibrationData _data;
    private readonly int[] _rows;
    private readonly DisposeScope _scope;
    private readonly TrainedWeights _weights;
    private readonly Network _network;
    private Tensor? _targets;

    internal CalibrationRun(PrunedNetwork pruned, CalibrationData data, int rows, bool others = false, bool shares = false)
    {
        (_data, _network) = (data, pruned.Network);
        _rows = Draw(data.Rows, data.Seed, rows, others ? data.Turn : 0);
        _scope = NewDisposeScope();
        _weights = new(pruned.Network, pruned.Masks, data.Device, shares);
        Parameters = [.. pruned.Network.Parameters.Where(parameter => parameter.Trainable)
            .Select(parameter => (parameter.Name, (TorchParameter)_weights.Graph.Parameters[parameter.Name]))];
    }

    /// <summary>The parameters that are trained, in the order of the network.</summary>
    public IReadOnlyList<(string Name, TorchParameter Values)> Parameters { get; }

    /// <summary>What the network's outputs mean.</summary>
    public LearningTask Task => _data.Task;

    /// <summary>What <see cref="Loss"/> computes.</summary>
    public Loss LossKind => _data.Loss;

    /// <summary>Where the network runs.</summary>
    public Device Device => _data.Device;

    internal TorchGraph Graph => _weights.Graph;

    /// <summary>How often the rows of the batch that is visited count; null where each counts once.</summary>
    internal Tensor? RowWeights { get; private set; }

    /// <summary>Rows at a time, as in training.</summary>
    public int BatchSize => _data.BatchSize;

    /// <summary>How many threads so many rows at a time keep busy.</summary>
    internal int Threads(int rows) => TorchThreads.Worth(_network, rows);

    /// <summary>Ends the run.</summary>
    public CancellationToken CancellationToken => _data.CancellationToken;

    /// <summary>Number of rows.</summary>
    public int Count => _rows.Length;

    /// <summary>Visits the rows in batches.</summary>
    /// <param name="visit">Gets rows, targets, and the batch's share of all rows, as they are weighted.</param>
    /// <param name="size">Rows at a time, at least 1; by default as many as in training.</param>
    /// <exception cref="OperationCanceledException">The step was cancelled.</exception>
    public void ForEachBatch(Action<Tensor, Tensor, double> visit, int? size = null)
    {
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentOutOfRangeException.ThrowIfLessThan(size ?? 1, 1, nameof(size));
        using var batch = new Batch(_data.Rows, _data.Task, Math.Min(size ?? _data.BatchSize, _rows.Length), _data.Device);
        using var threads = new TorchThreads(Threads(batch.Capacity));
        var whole = _data.Rows.Weight(_rows);
        for (var start = 0; start < _rows.Length; start += batch.Capacity)
        {
            _data.CancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = _rows.AsSpan(start, Math.Min(batch.Capacity, _rows.Length - start));
            (var rows, _targets, RowWeights) = batch.Gather(part);
            visit(rows, _targets, _data.Rows.Weight(part) / whole);
        }
    }

    /// <summary>The network's outputs for a batch, before softmax or sigmoid.</summary>
    /// <param name="rows">The rows of a batch.</param>
    /// <param name="visit">Called after each node with what finds the tensors it reads and writes by name; null for nothing.</param>
    /// <returns>Rows x outputs, in the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">A node is asked for a tensor that it neither reads nor writes.</exception>
    public Tensor Forward(Tensor rows, Action<Node, Func<string, Tensor>>? visit = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Graph.Forward(rows, visit: visit is null ? null
            : (node, find) => visit(node, name => node.Inputs.Contains(name) || node.Outputs.Contains(name) ? find(name)
            : throw new ArgumentException($"Node '{node.Name}' neither reads nor writes '{name}': it reads {string.Join(", ", node.Inputs)} and writes "
                + $"{string.Join(", ", node.Outputs)}.")));
    }

    /// <summary>The mean loss of a batch, its rows weighted as in training.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="targets">Its targets.</param>
    /// <exception cref="ArgumentException">Rows are weighted, and the targets are not those of the batch that is visited.</exception>
    /// <exception cref="InvalidOperationException">The rows have no labels.</exception>
    public Tensor Loss(Tensor rows, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(targets);
        if (!_data.HasLabels)
        {
            throw new InvalidOperationException("The calibration rows have no labels, so there is no loss to measure or derive: use a criterion that looks at "
                + "weights or activations, such as Importance.L1 or Importance.Wanda, or prune labelled rows in a chain, with ml.Transforms.Prune.");
        }

        return !_data.Rows.IsWeighted || ReferenceEquals(targets, _targets)
            ? LossFunction.Mean(_data.Loss, Graph.Forward(rows), targets, RowWeights)
            : throw new ArgumentException("The rows are weighted, so that their loss is that of the batch that is visited: give its rows and targets.",
                nameof(targets));
    }

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

    /// <summary>Forgets the gradients of all parameters.</summary>
    public void ClearGradients()
    {
        foreach (var (_, values) in Parameters)
        {
            values.grad = null;
        }
    }

    /// <summary>
    /// A number a weight, made of its value and its gradient as they are now; a parameter that the outputs do not depend on has gradients of zero.
    /// </summary>
    /// <param name="score">The number, from the value and the gradient.</param>
    /// <returns>By name of the parameter, in row-major order.</returns>
    public Dictionary<string, float[]> Combine(Func<float, float, float> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return Parameters.ToDictionary(parameter => parameter.Name, parameter => Combine(parameter.Values, score));
    }

    /// <summary>Takes dropped weights out of the gradients.</summary>
    public void MaskGradients() => _weights.MaskGradients();

    /// <summary>Frees the network's tensors.</summary>
    public void Dispose()
    {
        _weights.Dispose();
        _scope.Dispose();
    }

    private float[] Combine(TorchParameter parameter, Func<float, float, float> score)
    {
        CancellationToken.ThrowIfCancellationRequested();
        var values = TensorValues.Of(parameter);
        using var scope = NewDisposeScope();
        var gradient = parameter.grad is { } found ? TensorValues.Of(found) : new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = score(values[i], gradient[i]);
        }

        return values;
    }

    /// <summary>Some of the rows to train on, in an order drawn by the seed; all of them where there are no more.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="rows">How many.</param>
    /// <param name="turn">From 0: each takes the rows behind those of the turn before, from the beginning again after the last.</param>
    internal static int[] Draw(TrainingData data, int seed, int rows, int turn = 0)
    {
        // A row that counts nothing is none.
        int[] all = data.IsWeighted ? [.. data.TrainingRows.Where(row => data.Weight(row) > 0)] : [.. data.TrainingRows];
        new Random(seed).Shuffle(all);
        return all.Length <= rows ? all : [.. Enumerable.Range(0, rows).Select(i => all[(int)(((long)turn * rows + i) % all.Length)])];
    }
}
