using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>
/// Second moments of what the inputs of a dense layer's unit or of a convolution's filter read: one number for each pair of inputs, summed over
/// positions, the mean over rows. Half of d' H d is what a change d of a unit's weights does to its output, squared and halved.
/// </summary>
internal sealed class InputMoments
{
    private readonly LinearNode? _patches;
    private readonly string _data;
    private readonly Tensor _sum;

    private InputMoments(Network network, LayerInfo layer, Device device)
    {
        Weight = layer.Weights[0];
        var shape = network[Weight].Shape;
        Units = shape[layer.Axes(network[Weight]).Output];
        Inputs = network[Weight].Count / Math.Max(1, Units);
        IsTransposed = layer.Axes(network[Weight]).Output == 1;
        _data = layer.Node.Inputs[0];
        _patches = layer.Node.Operator == "Conv" ? new(network, layer, device) : null;
        using var scope = NewDisposeScope();
        _sum = zeros([Inputs, Inputs], ScalarType.Float64, device).MoveToOuterDisposeScope();
        if (_patches is not null)
        {
            // Filters that each pick one value out of a patch.
            Identity = ones([Inputs], device: device).diag().view([Inputs, .. shape.Skip(1).Select(size => (long)size)]).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Name of the weight.</summary>
    public string Weight { get; }

    public int Units { get; }

    public int Inputs { get; }

    /// <summary>Whether the weight is stored inputs x units.</summary>
    public bool IsTransposed { get; }

    private Tensor? Identity { get; }

    /// <summary>For each dense layer and each convolution of one group; their tensors belong to the caller's dispose scope.</summary>
    public static Dictionary<Node, InputMoments> Of(Network network, Device device) => network.Layers
        .Where(layer => layer.Weights.Length == 1 && layer.Node switch
        {
            { Operator: "Conv" } node => node.Int("group", 1) == 1,
            { Operator: "Gemm" } node => node.Int("transA", 0) == 0,
            { Operator: "MatMul" } node => node.Inputs[1] == layer.Weights[0] && network[layer.Weights[0]].Shape.Length == 2,
            _ => false,
        }).ToDictionary(layer => layer.Node, layer => new InputMoments(network, layer, device));

    /// <summary>Adds what the node reads in this batch.</summary>
    public void Add(Func<string, Tensor> find)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using TorchSharp.Scalar one = 1.0;
        var data = find(_data);
        var values = (_patches is null ? data.reshape(-1, Inputs).t() : _patches.Run(data, name => name == Weight ? Identity! : find(name)).transpose(0, 1).flatten(1)).to(ScalarType.Float64);
        _sum.add_(values.matmul(values.t()), one);
    }

    /// <summary>The moments with a share of their mean diagonal added to the diagonal.</summary>
    public double[][] Read(int rows, double damping)
    {
        using var scope = NewDisposeScope();
        var all = _sum.cpu().contiguous().data<double>().ToArray();
        double[][] moments = [.. Enumerable.Range(0, Inputs).Select(i => Array.ConvertAll(all[(i * Inputs)..((i + 1) * Inputs)], sum => sum / rows))];
        var mean = moments.Select((row, i) => row[i]).Average();
        for (var i = 0; i < Inputs; i++)
        {
            moments[i][i] += damping * (mean > 0 ? mean : 1);
        }

        return moments;
    }
}
