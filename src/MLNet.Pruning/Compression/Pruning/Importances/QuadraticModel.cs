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
    private readonly FlatTensors _parameters;

    /// <param name="run">The rows, and the network that runs them.</param>
    /// <param name="curvature">What H is.</param>
    /// <param name="diagonal">The diagonal, as a model of the same network on the same rows estimated it; null to estimate it.</param>
    /// <param name="mostKept">Intermediate numbers that are kept.</param>
    public QuadraticModel(CalibrationRun run, Curvature curvature, float[]? diagonal = null, long mostKept = MostKept)
    {
        (_run, _curvature, _scope) = (run, curvature, NewDisposeScope());
        _parameters = new([.. run.Parameters.Select(parameter => parameter.Values)]);
        Weights = _parameters.Read();
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
            _parameters.Add(Jacobian.TransposedTimes(logits, _parameters.Tensors, slopes.mul(whole), isKept: true), Gradient);
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
                part.Kept = Linearise(part, isKept: true);
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
    public Range Place(int parameter) => _parameters.Place(parameter);

    /// <summary>H times a vector.</summary>
    public float[] Times(ReadOnlySpan<float> vector)
    {
        var product = new float[vector.Length];
        using var scope = NewDisposeScope();
        var direction = _parameters.Split(vector);
        using var threads = new TorchThreads(_run.Threads(Batch));
        foreach (var part in _parts)
        {
            _run.CancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var jacobian = part.Kept ?? Linearise(part, isKept: false);
            var change = jacobian.Times(direction);
            var curved = _curvature == Curvature.GaussNewton ? LossCurvature.Times(_run.LossKind, jacobian.Output.detach(), change)
                : part.Slopes.mul(part.Slopes.mul(change).sum(1, keepdim: true));
            _parameters.Add(jacobian.TransposedTimes(curved.mul(part.Counts)), product);
        }

        return product;
    }

    /// <summary>The loss itself of other weights; not a number where it is none.</summary>
    public double Loss(ReadOnlySpan<float> weights)
    {
        var sum = 0.0;
        _parameters.Write(weights);
        using (no_grad())
        {
            _run.ForEachBatch((rows, targets, share) => sum += share * LossFunction.Value(_run.Loss(rows, targets)), Batch);
        }

        _parameters.Write(Weights);
        return sum;
    }

    public void Dispose() => _scope.Dispose();

    private int Batch => Math.Min(Math.Max(RowsAtOnce, _run.BatchSize), _run.Count);

    private Jacobian Linearise(Part part, bool isKept) => new(_run.Graph.Forward(part.Rows), _parameters.Tensors, isKept);

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
                var squares = Jacobian.TransposedTimes(logits, _parameters.Tensors, directions);
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

    private sealed class Part(Tensor rows, Tensor counts, Tensor slopes)
    {
        public Tensor Rows => rows;

        /// <summary>What each row counts of all.</summary>
        public Tensor Counts => counts;

        /// <summary>The gradient of each row's own loss by its logits.</summary>
        public Tensor Slopes => slopes;

        public Jacobian? Kept { get; set; }
    }
}
