using System.Numerics.Tensors;
using MLNet.Pruning.Networks;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Second moments of what the inputs of a dense layer's unit or of a convolution's filter read: one number for each pair of inputs, summed over
/// positions, the mean over rows. Half of d' H d is what a change d of a unit's weights does to its output, squared and halved.
/// </summary>
internal sealed class InputMoments
{
    private readonly Tensor _sum;

    private InputMoments(LayerInputs inputs, Device device)
    {
        Inputs = inputs;
        _sum = zeros([inputs.Count, inputs.Count], ScalarType.Float64, device);
    }

    public LayerInputs Inputs { get; }

    /// <summary>For each dense layer and each convolution of one group; their tensors belong to the caller's dispose scope.</summary>
    /// <param name="network">The network.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="chosen">Which of them; by default all.</param>
    public static Dictionary<Node, InputMoments> Of(Network network, Device device, Func<LayerInfo, bool>? chosen = null)
        => InParts(network, device, int.MaxValue, chosen).ToDictionary(moments => moments.Inputs.Node);

    /// <summary>The same, layers of more inputs than that in parts, each of which is looked at by itself.</summary>
    public static IReadOnlyList<InputMoments> InParts(Network network, Device device, int most, Func<LayerInfo, bool>? chosen = null) =>
    [
        .. network.Layers.Where(layer => LayerInputs.Has(network, layer) && chosen?.Invoke(layer) != false)
            .SelectMany(layer => LayerInputs.Of(network, layer, device).Parts(most, LayerInputs.Taps(network[layer.Weights[0]])))
            .Select(inputs => new InputMoments(inputs, device)),
    ];

    /// <summary>Adds up what the layers read of all rows.</summary>
    public static void Measure(CalibrationRun run, Dictionary<Node, InputMoments> moments) => Measure(run, moments.Values);

    /// <inheritdoc cref="Measure(CalibrationRun, Dictionary{Node, InputMoments})"/>
    public static void Measure(CalibrationRun run, IReadOnlyCollection<InputMoments> all)
    {
        var moments = all.ToLookup(moment => moment.Inputs.Node);
        using var noGrad = no_grad();
        run.ForEachBatch((rows, _, _) => run.Graph.Forward(rows, visit: (node, find) =>
        {
            foreach (var moment in moments[node])
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                moment.Add(find);
            }
        }), all.Select(moment => moment.Inputs.RowsAtOnce(run.BatchSize)).DefaultIfEmpty(run.BatchSize).Min());
    }

    /// <summary>The moments with a share of their mean diagonal added to the diagonal.</summary>
    public double[][] Read(int rows, double damping, CancellationToken cancellation = default)
    {
        var moments = Rows(_sum, rows, cancellation);
        var mean = moments.Select((row, i) => row[i]).Average();
        for (var i = 0; i < moments.Length; i++)
        {
            moments[i][i] += damping * (mean > 0 ? mean : 1);
        }

        return moments;
    }

    /// <summary>The same, after which they are held here no more.</summary>
    public double[][] Take(int rows, double damping, CancellationToken cancellation = default)
    {
        using (_sum)
        {
            return Read(rows, damping, cancellation);
        }
    }

    /// <summary>The moments where they were measured, the mean of so many rows.</summary>
    public Tensor Mean(int rows)
    {
        using TorchSharp.Scalar count = (double)rows;
        return _sum / count;
    }

    /// <summary>The rows of a matrix, divided.</summary>
    public static double[][] Rows(Tensor matrix, double divisor, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        var columns = (int)matrix.shape[1];
        var rows = new double[matrix.shape[0]][];
        matrix = matrix.cpu().contiguous();
        for (var i = 0; i < rows.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            rows[i] = new double[columns];
            TensorPrimitives.Divide(MemoryMarshal.Cast<byte, double>(matrix.bytes).Slice(i * columns, columns), divisor, rows[i]);
        }

        return rows;
    }

    private void Add(Func<string, Tensor> find)
    {
        using var scope = NewDisposeScope();
        using TorchSharp.Scalar one = 1.0;
        var values = Inputs.Read(find);
        _sum.add_(values.matmul(values.t()), one);
    }
}
