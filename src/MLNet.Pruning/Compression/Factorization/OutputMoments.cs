using MLNet.Pruning.Compression.Pruning.Importances;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// Mean and second moments of what a weight W makes of what its layers read, W x, over positions and rows. Where a weight has more outputs than inputs they are
/// taken in an orthonormal basis of all that it can make, which is as small as the inputs.
/// </summary>
internal sealed class OutputMoments
{
    /// <summary>Numbers looked at at a time: 128 MB of them, whatever the images' size.</summary>
    private const long Most = 1 << 24;

    /// <summary>Weight of the weight's own directions, where rows say nothing of them.</summary>
    private const double OfWeight = 1e-6;

    private readonly FactorizableLayer _layer;
    private readonly MatrixForm _form;
    private readonly Tensor _matrix;
    private readonly Tensor? _basis;
    private readonly Tensor? _project;
    private readonly Tensor _squares;
    private readonly Tensor _sum;
    private long _count;

    /// <summary>Its tensors belong to the caller's dispose scope.</summary>
    public OutputMoments(FactorizableLayer layer, MatrixForm form, Device device)
    {
        (_layer, _form, _matrix) = (layer, form, form.Read());
        var size = (int)Math.Min(_matrix.shape[0], _matrix.shape[1]);
        if (_matrix.shape[0] > size)
        {
            _basis = linalg.qr(_matrix).Q;
            _project = _basis.t().to(ScalarType.Float32, device);
        }

        _squares = zeros([size, size], ScalarType.Float64, device);
        _sum = zeros([size], ScalarType.Float64, device);
    }

    /// <summary>Measures them on the rows of a run.</summary>
    /// <exception cref="InvalidOperationException">The rows make values that are not finite.</exception>
    public static void Measure(CalibrationRun run, IReadOnlyCollection<OutputMoments> moments)
    {
        using var noGrad = no_grad();
        var nodes = moments.SelectMany(moment => moment._layer.Layers.Select(layer => (layer.Node, moment)))
            .ToDictionary(pair => pair.Node, pair => pair.moment);
        run.ForEachBatch((rows, _, _) => run.Graph.Forward(rows, visit: (node, find) =>
        {
            if (nodes.TryGetValue(node, out var moment))
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                moment.Add(node, find);
            }
        }), moments.Select(moment => moment.RowsAtOnce(run.BatchSize)).DefaultIfEmpty(run.BatchSize).Min());
        if (moments.FirstOrDefault(moment => !moment._squares.isfinite().all().cpu().data<bool>()[0]) is { } broken)
        {
            throw new InvalidOperationException($"The calibration rows make layer '{broken._layer.Name}' put out values that are not finite.");
        }
    }

    /// <summary>The weight by the principal directions of its outputs.</summary>
    /// <param name="centred">Whether the mean is kept as it is, and directions are those of what varies.</param>
    public MatrixDecomposition Decompose(bool centred)
    {
        using var scope = NewDisposeScope();
        using Scalar count = (double)Math.Max(1, _count), one = 1.0;
        var (squares, mean) = (_squares.cpu() / count, _sum.cpu() / count);
        var coordinates = _basis is null ? _matrix : _basis.t().matmul(_matrix);
        var own = coordinates.matmul(coordinates.t());
        var measured = centred ? squares - mean.outer(mean) : squares;
        var (size, weight) = (measured.trace().data<double>()[0], own.trace().data<double>()[0]);
        using Scalar share = weight > 0 ? OfWeight * (size > 0 ? size : 1) / weight : 0.0;
        var (values, vectors) = linalg.eigh(measured.add(own, share));
        vectors = vectors.flip(1);
        // What the directions carry of what was measured alone; rounding can make none a little less than nothing.
        var energies = vectors.t().matmul(measured).matmul(vectors).diag().data<double>().ToArray();
        double[] roots = [.. energies.Select(energy => Math.Sqrt(Math.Max(0, energy)))];
        var directions = _basis is null ? vectors : _basis.matmul(vectors);
        var shift = centred ? _basis is null ? mean : _basis.matmul(mean) : null;
        return new(_form, _matrix, directions.MoveToOuterDisposeScope(), roots, shift?.MoveToOuterDisposeScope());
    }

    private int RowsAtOnce(int batch) => (int)Math.Clamp(Most / Math.Max(1, _layer.Layers.Max(layer => _layer.Matrix.Rows
        * Math.Max(1, layer.PositionsPerWeight.AtOnes))), 1, batch);

    private void Add(Node node, Func<string, Tensor> find)
    {
        using var scope = NewDisposeScope();
        using Scalar one = 1.0;
        var outputs = find(node.Outputs[0]);
        if (node.Operator is "Conv" or "Gemm" && node.Input(2) is { } bias)
        {
            using Scalar beta = node.Float("beta", 1);
            var shift = find(bias) * beta;
            outputs = outputs - (node.Operator == "Conv" ? shift.view([-1, .. Enumerable.Repeat(1L, outputs.shape.Length - 2)]) : shift);
        }

        // Outputs x positions.
        var values = node.Operator == "Conv" ? outputs.transpose(0, 1).flatten(1)
            : node.Operator == "MatMul" && node.Inputs[0] == _layer.Weight.Name && outputs.shape.Length > 1
            ? outputs.transpose(-1, -2).reshape(-1, _matrix.shape[0]).t() : outputs.reshape(-1, _matrix.shape[0]).t();
        values = (_project is null ? values : _project.matmul(values)).to(ScalarType.Float64);
        _squares.add_(values.matmul(values.t()), one);
        _sum.add_(values.sum(1), one);
        _count += values.shape[1];
    }
}
