using System.Numerics.Tensors;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// The parameters of a layer with which what its region puts out comes nearest to what it was, half of the mean over rows of squared differences and half of
/// the ridge times the squared change, by Newton's steps. The matrix of a step is J'J of the region's output by the parameters, which is never formed (<see
/// cref="Jacobian"/>); its system is solved by conjugate gradients (<see cref="SparseQuadratic"/>), and the step halved until the sum falls. Every fourth row
/// is held back: when the rows held back gain nothing any more, the parameters before that step stay.
/// </summary>
/// <remarks>
/// Memory: the rows, what the region puts out for them, and, where it is less than <see cref="MostKept"/> numbers, what is computed within the region; else it
/// is computed again for each product.
/// </remarks>
internal sealed class RegionFit : IDisposable
{
    /// <summary>Numbers that are kept: 256 MB of them.</summary>
    private const long MostKept = 1L << 26;

    /// <summary>Of so many rows one is held back.</summary>
    private const int HeldBack = 4;

    /// <summary>Products with the matrix for a step at most, and times that the step is halved.</summary>
    private const int Products = 50, Halvings = 10;

    /// <summary>Sums of all rows with random signs that the diagonal is estimated from.</summary>
    private const int Probes = 8;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly CalibrationRun _run;
    private readonly Network _network;
    private readonly string[] _names;
    private readonly RegionOutput _output;
    private readonly int _batch;
    private readonly TorchGraph _graph;
    private readonly FlatTensors _parameters;
    private readonly bool[] _free;
    private readonly float[] _start;
    private readonly List<Part> _fitted = [];
    private readonly List<Part> _held = [];
    private long _rows;
    private bool _isKept;
    private float[] _diagonal = [];
    private float _ridge;

    /// <param name="run">Runs the rows through the network before the step.</param>
    /// <param name="batch">Rows at a time.</param>
    /// <param name="after">What is left of the network.</param>
    /// <param name="parameters">Names of the parameters that are fitted.</param>
    /// <param name="output">What is compared.</param>
    public RegionFit(CalibrationRun run, int batch, PrunedNetwork after, string[] parameters, RegionOutput output)
    {
        (_run, _batch, _network, _names, _output) = (run, batch, after.Network, parameters, output);
        var tensors = _network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameters.Contains(parameter.Name)
            ? TorchGraph.View(parameter).to(run.Device, copy: true).DetachFromDisposeScope().requires_grad_(true)
            : TorchGraph.View(parameter).to(run.Device).DetachFromDisposeScope());
        _graph = new(_network, tensors, logits: true, run.Device, output.Tensor);
        _parameters = new([.. parameters.Select(name => tensors[name])]);
        _start = _parameters.Read();
        _free = [.. parameters.SelectMany(name => Enumerable.Range(0, _network[name].Count).Select(i => after.Masks.GetValueOrDefault(name)?[i] != false))];
    }

    /// <summary>The parameters after some steps.</summary>
    /// <param name="ridge">How strongly they are held where they are, as a share of the mean of the matrix's diagonal; above 0.</param>
    /// <param name="steps">Steps at most.</param>
    /// <param name="mostKept">Numbers computed within the region that are kept at most.</param>
    /// <exception cref="InvalidOperationException">What the region puts out leaves the finite numbers.</exception>
    public IReadOnlyList<Parameter> Solve(double ridge, int steps, long mostKept = MostKept)
    {
        using var threads = new TorchThreads(_run.Threads(_batch));
        _isKept = Read() <= mostKept;
        _diagonal = Estimate();
        var mean = _diagonal.Where((_, i) => _free[i]).Select(value => (double)value).DefaultIfEmpty(0).Average();
        _ridge = (float)(ridge * (mean > 0 ? mean : 1));
        var (values, held) = (_start, Error(_held));
        for (var i = 0; i < steps && Step(values) is { } next; i++)
        {
            var error = Error(_held);
            if (_held.Count > 0 && !(error < held))
            {
                break;
            }

            (values, held) = (next, error);
        }

        return [.. _names.Select((name, i) => _network[name].WithValues(values[_parameters.Place(i)]))];
    }

    public void Dispose()
    {
        _graph.Dispose();
        _scope.Dispose();
    }

    /// <summary>J'J / rows times a vector, by the rows that are fitted.</summary>
    /// <param name="parts">The rows, with what was kept of each, if anything.</param>
    /// <param name="vector">As many numbers as the parameters have.</param>
    private float[] Times(IReadOnlyList<(Part Part, Jacobian? Kept)> parts, ReadOnlySpan<float> vector)
    {
        var product = new float[vector.Length];
        using var scope = NewDisposeScope();
        var direction = _parameters.Split(vector);
        using Scalar share = 1.0 / _rows;
        foreach (var (part, kept) in parts)
        {
            _run.CancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var jacobian = kept ?? Linearise(part, isKept: false);
            _parameters.Add(jacobian.TransposedTimes(jacobian.Times(direction).mul(share)), product);
        }

        return product;
    }

    /// <summary>Reads the rows.</summary>
    /// <returns>Numbers computed within the region for those that are fitted.</returns>
    private long Read()
    {
        var (place, inside) = (0L, 0L);
        var units = _output.Units is { } kept ? tensor(Array.ConvertAll(kept, unit => (long)unit), device: _run.Device) : null;
        _run.ForEachBatch((rows, _, _) =>
        {
            var aim = rows;
            using (no_grad())
            {
                _run.Graph.Forward(rows, visit: (node, find) => aim = node.Outputs.Contains(_output.Tensor) ? find(_output.Tensor).clone() : aim);
                aim = units is null ? aim : aim.index_select(_output.Dimension, units);
            }

            foreach (var part in Enumerable.Range(0, (int)rows.shape[0]).GroupBy(row => (place + row) % HeldBack == HeldBack - 1))
            {
                var chosen = tensor([.. part.Select(row => (long)row)], device: _run.Device);
                (part.Key ? _held : _fitted).Add(new(rows.index_select(0, chosen).MoveToOuterDisposeScope(),
                    aim.index_select(0, chosen).MoveToOuterDisposeScope()));
                _rows += part.Key ? 0 : part.Count();
            }

            place += rows.shape[0];
            _graph.Forward(_fitted[^1].Rows, visit: (node, find) => inside += node.Outputs.Where(output => output.Length > 0).Select(find)
                .Where(tensor => tensor.requires_grad).Sum(tensor => tensor.numel()));
        }, _batch);
        return inside;
    }

    /// <summary>An estimate of the matrix's diagonal, by random signs (Hutchinson 1990).</summary>
    private float[] Estimate()
    {
        var diagonal = new float[_start.Length];
        using var random = new Generator(1);
        using Scalar half = 0.5, share = 1 / Math.Sqrt(_rows);
        foreach (var part in _fitted)
        {
            using var scope = NewDisposeScope();
            var output = _graph.Forward(part.Rows);
            for (var probe = 0; probe < Probes; probe++)
            {
                _run.CancellationToken.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var signs = rand(output.shape, generator: random).sub(half).sign().to(_run.Device).mul(share);
                var slopes = new float[diagonal.Length];
                _parameters.Add(Jacobian.TransposedTimes(output, _parameters.Tensors, signs, isKept: true), slopes);
                TensorPrimitives.MultiplyAdd(slopes, slopes, diagonal, diagonal);
            }
        }

        TensorPrimitives.Divide(diagonal, Probes, diagonal);
        return diagonal;
    }

    /// <summary>One step of Newton's from some values, which leaves the next ones in the tensors; null where no part of it makes the sum fall.</summary>
    private float[]? Step(float[] values)
    {
        using var scope = NewDisposeScope();
        var sum = Objective(values);
        var parts = _fitted.Select(part => (part, Kept: _isKept ? Linearise(part, isKept: true) : null)).ToArray();
        var gradient = new float[values.Length];
        TensorPrimitives.Subtract(values, _start, gradient);
        TensorPrimitives.Multiply(gradient, _ridge, gradient);
        using Scalar share = 1.0 / _rows;
        foreach (var (part, kept) in parts)
        {
            using var inner = NewDisposeScope();
            var output = kept?.Output ?? _graph.Forward(part.Rows);
            _parameters.Add(Jacobian.TransposedTimes(output, _parameters.Tensors, output.detach().sub(part.Aim).mul(share), isKept: true), gradient);
        }

        var change = new SparseQuadratic(vector => Times(parts, vector), values, gradient, _diagonal, _ridge).Solve(values, _free, Products);
        TensorPrimitives.Subtract(change, values, change);
        for (var halving = 0; halving < Halvings; halving++)
        {
            var next = new float[values.Length];
            TensorPrimitives.MultiplyAdd(change, MathF.Pow(0.5f, halving), values, next);
            if (Objective(next) < sum)
            {
                return next;
            }
        }

        return null;
    }

    private Jacobian Linearise(Part part, bool isKept) => new(_graph.Forward(part.Rows), _parameters.Tensors, isKept);

    /// <summary>What falls: with other values, which are left in the tensors.</summary>
    private double Objective(float[] values)
    {
        _parameters.Write(values);
        var held = 0.0;
        for (var i = 0; i < values.Length; i++)
        {
            var change = (double)values[i] - _start[i];
            held += change * change;
        }

        return Error(_fitted) + _ridge * held / 2;
    }

    /// <summary>Half of the mean over rows of squared differences, with the values that are in the tensors.</summary>
    private double Error(IReadOnlyList<Part> parts)
    {
        using var noGrad = no_grad();
        var (sum, rows) = (0.0, 0L);
        foreach (var part in parts)
        {
            _run.CancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var lacking = _graph.Forward(part.Rows).sub(part.Aim);
            sum += lacking.mul(lacking).sum(ScalarType.Float64).item<double>();
            rows += part.Rows.shape[0];
        }

        return double.IsFinite(sum) ? sum / 2 / Math.Max(1, rows) : throw new InvalidOperationException(
            $"'{_output.Tensor}' leaves the finite numbers on the calibration rows: normalise the features.");
    }

    /// <param name="Rows">The rows.</param>
    /// <param name="Aim">What the region put out for them before the step.</param>
    public sealed record Part(Tensor Rows, Tensor Aim);
}
