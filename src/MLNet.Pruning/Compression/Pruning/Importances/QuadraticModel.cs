using System.Numerics.Tensors;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The loss on calibration rows to second order around the network as it is, over all trained parameters one behind another: g'd + d'(H + ridge) d / 2 for a
/// change d. H is never formed: a product with it is a product with the Jacobian of the logits, which is the derivative of J'u by u, and one with its transpose
/// (Pearlmutter 1994; Martens 2010, "Deep learning via Hessian-free optimization").
/// </summary>
/// <remarks>
/// Memory: the rows and, where they are less than <see cref="MostKept"/> numbers, what the network computed for them; otherwise it is computed again for
/// each product. Cost of a product: some four passes of the rows, or seven.
/// </remarks>
internal sealed class QuadraticModel : IDisposable
{
    /// <summary>Intermediate numbers that are kept: 256 MB of them.</summary>
    private const long MostKept = 1L << 26;

    /// <summary>Rows at a time, unless the run has larger batches.</summary>
    private const int RowsAtOnce = 1024;

    /// <summary>Estimates of the diagonal, each of some rows that are added up with random signs; their mean is what is taken.</summary>
    private const int Estimates = 256;

    private readonly CalibrationRun _run;
    private readonly Curvature _curvature;
    private readonly DisposeScope _scope;
    private readonly List<Part> _parts = [];
    private readonly Tensor[] _parameters;
    private readonly int[] _starts;

    /// <param name="run">The rows, and the network that runs them.</param>
    /// <param name="curvature">What H is.</param>
    /// <param name="diagonal">The diagonal, as a model of the same network on the same rows estimated it; null to estimate it.</param>
    /// <param name="mostKept">Intermediate numbers that are kept.</param>
    public QuadraticModel(CalibrationRun run, Curvature curvature, float[]? diagonal = null, long mostKept = MostKept)
    {
        (_run, _curvature, _scope) = (run, curvature, NewDisposeScope());
        _parameters = [.. run.Parameters.Select(parameter => parameter.Values)];
        _starts = new int[_parameters.Length + 1];
        for (var i = 0; i < _parameters.Length; i++)
        {
            _starts[i + 1] = checked(_starts[i] + (int)_parameters[i].numel());
        }

        Weights = Flat(_parameters);
        Gradient = new float[Weights.Length];
        Diagonal = diagonal ?? new float[Weights.Length];
        var kept = 0L;
        run.ForEachBatch((rows, targets, share) =>
        {
            var logits = run.Graph.Forward(rows, visit: (node, find)
                => kept += find(node.Outputs[0]).numel());
            var loss = LossFunction.Mean(run.LossKind, logits, targets, run.RowWeights);
            var slopes = autograd.grad([loss], [logits], retain_graph: true)[0]!;
            using Scalar whole = share;
            Add(Gradient, Derive(logits, slopes.mul(whole), retain: true));
            // Of a row's mean loss in a batch the slope is that of its own, by how much it counts.
            var weights = run.RowWeights ?? ones([rows.shape[0]], device: rows.device);
            var count = weights.div(weights.sum());
            var counts = count.mul(whole).view(-1, 1);
            using Scalar least = 1e-30;
            var part = new Part(rows.clone().MoveToOuterDisposeScope(), counts.MoveToOuterDisposeScope(),
                slopes.div(count.view(-1, 1).clamp_min(least)).detach().MoveToOuterDisposeScope());
            _parts.Add(part);
        }, Batch);
        if (kept <= mostKept)
        {
            foreach (var part in _parts)
            {
                part.Kept = Linearise(part);
            }
        }

        if (diagonal is null)
        {
            Estimate();
        }
    }

    /// <summary>The parameters where the model touches the loss.</summary>
    public float[] Weights { get; }

    /// <summary>The gradient of the loss there.</summary>
    public float[] Gradient { get; }

    /// <summary>An estimate of the diagonal of H, by random signs (Hutchinson 1990).</summary>
    public float[] Diagonal { get; }

    /// <summary>The place of a parameter among all numbers.</summary>
    public Range Place(int parameter) => _starts[parameter].._starts[parameter + 1];

    /// <summary>H times a vector.</summary>
    public float[] Times(ReadOnlySpan<float> vector)
    {
        var product = new float[vector.Length];
        using var scope = NewDisposeScope();
        var direction = Split(vector);
        using var threads = new TorchThreads(_run.Threads(Batch));
        foreach (var part in _parts)
        {
            _run.CancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var (logits, cotangent, slopes, used) = part.Kept ?? Linearise(part);
            var change = autograd.grad(slopes, [cotangent], [.. used.Select(i => direction[i])], retain_graph: part.Kept is not null)[0]!;
            var curved = _curvature == Curvature.GaussNewton ? LossCurvature.Times(_run.LossKind, logits.detach(), change)
                : part.Slopes.mul(part.Slopes.mul(change).sum(1, keepdim: true));
            Add(product, Derive(logits, curved.mul(part.Counts), retain: part.Kept is not null));
        }

        return product;
    }

    public void Dispose() => _scope.Dispose();

    private int Batch => Math.Min(Math.Max(RowsAtOnce, _run.BatchSize), _run.Count);

    private Linearised Linearise(Part part)
    {
        var logits = _run.Graph.Forward(part.Rows);
        var cotangent = zeros_like(logits).requires_grad_(true);
        var slopes = autograd.grad([logits], _parameters, [cotangent], retain_graph: true, create_graph: true, allow_unused: true);
        int[] used = [.. Enumerable.Range(0, slopes.Count).Where(i => slopes[i] is { requires_grad: true })];
        return new(logits, cotangent, [.. used.Select(i => slopes[i]!)], used);
    }

    private Tensor?[] Derive(Tensor logits, Tensor cotangent, bool retain)
        => [.. autograd.grad([logits], _parameters, [cotangent], retain_graph: retain, allow_unused: true)];

    private void Estimate()
    {
        using var random = new Generator(1);
        var most = Math.Max(1, _run.Count / Estimates);
        foreach (var part in _parts)
        {
            for (var start = 0L; start < part.Rows.shape[0]; start += most)
            {
                _run.CancellationToken.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var end = Math.Min(part.Rows.shape[0], start + most);
                var logits = _run.Graph.Forward(part.Rows.slice(0, start, end, 1));
                var roots = _curvature == Curvature.GaussNewton ? LossCurvature.Roots(_run.LossKind, logits.detach())
                    : part.Slopes.slice(0, start, end, 1).unsqueeze(2);
                using Scalar half = 0.5;
                var signs = rand([end - start, 1, roots.shape[2]], generator: random).sub(half).sign().to(_run.Device);
                var directions = roots.mul(signs).sum(2).mul(part.Counts.slice(0, start, end, 1).sqrt());
                var squares = Derive(logits, directions, retain: false);
                for (var i = 0; i < squares.Length; i++)
                {
                    if (squares[i] is { } square)
                    {
                        var place = Diagonal.AsSpan(Place(i));
                        var numbers = TensorValues.Of(square);
                        TensorPrimitives.MultiplyAdd(numbers, numbers, place, place);
                    }
                }
            }
        }
    }

    private void Add(float[] sum, IReadOnlyList<Tensor?> parts)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] is { } part)
            {
                var place = sum.AsSpan(Place(i));
                TensorPrimitives.Add(place, TensorValues.Of(part), place);
            }
        }
    }

    private Tensor[] Split(ReadOnlySpan<float> vector)
    {
        var split = new Tensor[_parameters.Length];
        for (var i = 0; i < split.Length; i++)
        {
            split[i] = tensor(vector[Place(i)].ToArray(), [.. _parameters[i].shape], device: _run.Device);
        }

        return split;
    }

    private static float[] Flat(Tensor[] tensors) => [.. tensors.SelectMany(TensorValues.Of)];

    private sealed class Part(Tensor rows, Tensor counts, Tensor slopes)
    {
        public Tensor Rows => rows;

        /// <summary>What each row counts of all.</summary>
        public Tensor Counts => counts;

        /// <summary>The gradient of each row's own loss by its logits.</summary>
        public Tensor Slopes => slopes;

        public Linearised? Kept { get; set; }
    }

    /// <param name="Logits">Rows x outputs.</param>
    /// <param name="Cotangent">The u of J'u.</param>
    /// <param name="Slopes">J'u, by parameter.</param>
    /// <param name="Used">Numbers of those parameters that the logits depend on.</param>
    private sealed record Linearised(Tensor Logits, Tensor Cotangent, Tensor[] Slopes, int[] Used);
}
