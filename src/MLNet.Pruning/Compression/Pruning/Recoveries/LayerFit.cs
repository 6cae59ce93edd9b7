using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Threading;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// The change of a layer's weights, and of what shifts its units, that leaves the least squared error: moments of what the layer reads and of what its
/// outputs lack, summed over positions, apart for rows that are fitted and rows that are held back to choose the damping.
/// </summary>
internal sealed class LayerFit
{
    /// <summary>Of so many rows one is held back.</summary>
    private const int HeldBack = 4;

    /// <summary>Units that choose the damping.</summary>
    private const int Choosing = 64;

    /// <summary>The dampings to choose from.</summary>
    private static readonly double[] s_dampings = [1e-4, 1e-3, 1e-2, 1e-1, 1];

    private readonly LayerInputs _inputs;
    private readonly WeightMask? _mask;
    private readonly WeightMask? _shiftMask;
    private readonly double? _damping;
    private readonly CancellationToken _cancellation;
    private readonly Part _fitted;
    private readonly Part? _held;
    private readonly int _size;
    private readonly Tensor? _one;
    private long _rows;

    /// <param name="inputs">What the layer reads.</param>
    /// <param name="mask">Which weights may be other than zero; null for all.</param>
    /// <param name="isShifted">Whether each unit has a shift.</param>
    /// <param name="shiftMask">Which shifts may be other than zero; null for all.</param>
    /// <param name="damping">How strongly weights are held, as a share of the mean second moment; null to choose.</param>
    /// <param name="device">Where the network runs.</param>
    /// <param name="cancellation">Ends it.</param>
    public LayerFit(LayerInputs inputs, WeightMask? mask, bool isShifted, WeightMask? shiftMask, double? damping, Device device,
        CancellationToken cancellation)
    {
        (_inputs, _mask, _shiftMask, _damping, _cancellation) = (inputs, mask, shiftMask, damping, cancellation);
        _size = inputs.Count + (isShifted ? 1 : 0);
        _one = isShifted ? ones([inputs.Groups, 1, 1], ScalarType.Float64, device) : null;
        _fitted = new(inputs, _size, device);
        _held = damping is null ? new(inputs, _size, device) : null;
    }

    /// <summary>Adds up a batch.</summary>
    /// <param name="read">Groups x inputs x positions.</param>
    /// <param name="lacking">Groups x units x positions: what the outputs should be less what they are.</param>
    /// <param name="rows">Rows of the batch.</param>
    public void Add(Tensor read, Tensor lacking, int rows)
    {
        using var scope = NewDisposeScope();
        read = _one is null ? read : cat([read, _one.expand(read.shape[0], 1, read.shape[2])], 1);
        if (_held is null)
        {
            _fitted.Add(read, lacking);
            return;
        }

        long[] held = [.. Enumerable.Range(0, rows).Where(row => (_rows + row) % HeldBack == HeldBack - 1).Select(row => (long)row)];
        _rows += rows;
        Tensor Rows(Tensor values, IEnumerable<long> chosen) => values.view(values.shape[0], values.shape[1], rows, -1)
            .index_select(2, tensor([.. chosen], device: values.device)).flatten(2);
        if (held.Length > 0)
        {
            _held.Add(Rows(read, held), Rows(lacking, held));
        }

        if (held.Length < rows)
        {
            var fitted = Enumerable.Range(0, rows).Select(row => (long)row).Except(held);
            _fitted.Add(Rows(read, fitted), Rows(lacking, fitted));
        }
    }

    /// <summary>The changes: of the weights in their order of storage, and of the shifts.</summary>
    public (double[] Weights, double[] Shifts) Solve()
    {
        var damping = _damping;
        if (_held is not null)
        {
            damping = Choose();
            _fitted.Add(_held);
        }

        var (weights, shifts) = (new double[_inputs.Weights], new double[_inputs.Units]);
        if (damping is { } chosen)
        {
            Solve(chosen, [.. Enumerable.Range(0, _inputs.Units)], (unit, free, change) =>
            {
                for (var i = 0; i < free.Length; i++)
                {
                    (free[i] < _inputs.Count ? ref weights[_inputs.Place(unit, free[i])] : ref shifts[unit]) = change[i];
                }
            });
        }

        return (weights, shifts);
    }

    /// <summary>The damping that leaves the least error on the rows held back; null where each leaves more than there was.</summary>
    private double? Choose()
    {
        if (_rows < HeldBack)
        {
            return s_dampings[^1];
        }

        // An even choice of units: where each keeps other inputs, each needs a factor of its own.
        int[] units = [.. Enumerable.Range(0, _inputs.Units).Where(unit => (long)unit * Choosing / _inputs.Units != (unit - 1L) * Choosing / _inputs.Units)];
        var (best, least) = ((double?)null, 0.0);
        foreach (var damping in s_dampings)
        {
            var changes = new double[_inputs.Units * _size];
            Solve(damping, units, (unit, free, change) =>
            {
                for (var i = 0; i < free.Length; i++)
                {
                    changes[unit * _size + free[i]] = change[i];
                }
            });
            if (_held!.Error(changes) is var error && error < least)
            {
                (best, least) = (damping, error);
            }
        }

        return best;
    }

    /// <summary>(A + damping) d = b over the inputs that a unit keeps; units that keep the same share a factor. The shift is held by nothing.</summary>
    private void Solve(double damping, int[] units, Action<int, int[], double[]> take)
    {
        var each = _inputs.Units / _inputs.Groups;
        foreach (var group in units.GroupBy(unit => unit / each))
        {
            var moments = _fitted.Moments(group.Key, _inputs, _cancellation);
            var errors = _fitted.Errors(group.Key, _cancellation);
            var mean = Enumerable.Range(0, _inputs.Count).Select(i => moments[i][i]).Average();
            for (var i = 0; i < _inputs.Count; i++)
            {
                moments[i][i] += damping * (mean > 0 ? mean : 1);
            }

            var alike = _mask is null && _shiftMask is null ? [[.. group]]
                : group.GroupBy(unit => string.Join(",", Free(unit))).Select(same => same.ToArray()).ToArray();
            PartLoop.Run(alike.Length, part =>
            {
                var free = Free(alike[part][0]);
                var lower = PositiveDefinite.Factor([.. free.Select(i => Array.ConvertAll(free, j => moments[i][j]))], _cancellation);
                PartLoop.Run(alike[part].Length, one =>
                {
                    var unit = alike[part][one];
                    var change = Array.ConvertAll(free, i => errors[unit % each][i]);
                    PositiveDefinite.Solve(lower, change, _cancellation);
                    take(unit, free, change);
                }, _cancellation);
            }, _cancellation);
        }
    }

    private int[] Free(int unit)
    {
        _cancellation.ThrowIfCancellationRequested();
        return
        [
            .. Enumerable.Range(0, _inputs.Count).Where(input => _mask?[_inputs.Place(unit, input)] != false),
            .. _size > _inputs.Count && _shiftMask?[unit] != false ? [_inputs.Count] : Array.Empty<int>(),
        ];
    }

    /// <summary>The sums over some of the rows.</summary>
    private sealed class Part(LayerInputs inputs, int size, Device device)
    {
        private readonly Tensor _moments = zeros([inputs.Groups, size, size], ScalarType.Float64, device);
        private readonly Tensor _errors = zeros([inputs.Groups, inputs.Units / inputs.Groups, size], ScalarType.Float64, device);

        public void Add(Tensor read, Tensor lacking)
        {
            using TorchSharp.Scalar one = 1.0;
            _moments.add_(read.matmul(read.mT), one);
            _errors.add_(lacking.matmul(read.mT), one);
        }

        public void Add(Part other)
        {
            using TorchSharp.Scalar one = 1.0;
            _moments.add_(other._moments, one);
            _errors.add_(other._errors, one);
        }

        public double[][] Moments(int group, LayerInputs layer, CancellationToken cancellation)
        {
            var moments = InputMoments.Rows(_moments[group], 1, cancellation);
            return moments.All(row => row.All(double.IsFinite)) ? moments : throw new InvalidOperationException(
                $"What layer '{layer.Node.Name}' reads of the calibration rows leaves the finite numbers: normalise the features.");
        }

        public double[][] Errors(int group, CancellationToken cancellation) => InputMoments.Rows(_errors[group], 1, cancellation);

        /// <summary>What changes add to the squared error, d' A d - 2 d' b.</summary>
        public double Error(double[] changes)
        {
            using var scope = NewDisposeScope();
            using TorchSharp.Scalar two = 2.0;
            var d = tensor(changes, _errors.shape, device: _errors.device);
            return ((d.matmul(_moments) - _errors.mul(two)) * d).sum().cpu().data<double>()[0];
        }
    }
}
