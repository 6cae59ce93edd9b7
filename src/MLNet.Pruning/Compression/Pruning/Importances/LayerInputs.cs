using MLNet.Pruning.Networks;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// What each unit of a dense layer, or each filter of a convolution, reads: a column of numbers at every position of every row, the same for all units of a
/// group.
/// </summary>
internal sealed class LayerInputs
{
    /// <summary>Numbers read at a time: 32 MB of them, whatever the images' size.</summary>
    private const long Most = 1 << 22;

    private readonly long _positions;
    private readonly int _whole;
    private readonly LinearNode? _patches;
    private readonly Tensor? _identity;

    private LayerInputs(Network network, LayerInfo layer, Device device)
    {
        Node = layer.Node;
        _positions = Math.Max(1, layer.PositionsPerWeight.AtOnes);
        Weight = layer.Weights[0];
        var shape = network[Weight].Shape;
        Units = shape[layer.Axes(network[Weight]).Output];
        Count = _whole = network[Weight].Count / Math.Max(1, Units);
        IsTransposed = layer.Axes(network[Weight]).Output == 1;
        if (Node.Operator == "Conv")
        {
            Groups = (int)Node.Int("group", 1);
            _patches = new(network, layer, device);
            // Filters that each pick one value out of a patch, for each group.
            using var scope = NewDisposeScope();
            _identity = ones([Count], device: device).diag().repeat(Groups, 1).view([Groups * Count, .. shape.Skip(1).Select(size => (long)size)])
                .MoveToOuterDisposeScope();
        }
    }

    private LayerInputs(LayerInputs layer, int first, int count)
    {
        (Node, Weight, Units, Groups, IsTransposed) = (layer.Node, layer.Weight, layer.Units, layer.Groups, layer.IsTransposed);
        (_positions, _whole, _patches, _identity) = (layer._positions, layer._whole, layer._patches, layer._identity);
        (First, Count) = (first, count);
    }

    public Node Node { get; }

    /// <summary>Name of the weight.</summary>
    public string Weight { get; }

    public int Units { get; }

    /// <summary>Groups of consecutive units, as many in each, that read the same numbers; 1 but for grouped convolutions.</summary>
    public int Groups { get; } = 1;

    /// <summary>Number of weights, of all inputs.</summary>
    public int Weights => Units * _whole;

    /// <summary>The first of the numbers that are looked at; 0 but for parts.</summary>
    public int First { get; }

    /// <summary>Numbers that a unit reads at a position, or those of a part.</summary>
    public int Count { get; }

    /// <summary>Whether the weight is stored inputs x units.</summary>
    public bool IsTransposed { get; }

    /// <summary>Whether a layer is one of those.</summary>
    /// <param name="network">The network.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="inGroups">Whether convolutions of several groups count.</param>
    public static bool Has(Network network, LayerInfo layer, bool inGroups = false) => layer.Weights.Length == 1 && layer.Node switch
    {
        { Operator: "Conv" } node => inGroups || node.Int("group", 1) == 1,
        { Operator: "Gemm" } node => node.Int("transA", 0) == 0,
        { Operator: "MatMul" } node => node.Inputs[1] == layer.Weights[0] && network[layer.Weights[0]].Shape.Length == 2,
        _ => false,
    };

    /// <summary>Weights of a kernel, which is what one index of a weight's inputs stands for.</summary>
    public static int Taps(Parameter weight) => weight.Shape.Skip(2).Aggregate(1, (product, size) => product * size);

    /// <summary>Of a layer that has them; its tensors belong to the caller's dispose scope.</summary>
    public static LayerInputs Of(Network network, LayerInfo layer, Device device) => new(network, layer, device);

    /// <summary>Consecutive inputs of as many whole kernels as make no more than that; the layer itself where it has no more.</summary>
    /// <param name="most">Inputs of a part.</param>
    /// <param name="taps">Weights of a kernel.</param>
    public IEnumerable<LayerInputs> Parts(int most, int taps)
    {
        // Multiples of 32 hold the groups of every pattern that has a power of two of inputs.
        var size = Math.Max(1, most / taps >= 32 ? most / taps / 32 * 32 : most / taps) * taps;
        return Count <= most ? [this] : Enumerable.Range(0, (Count + size - 1) / size).Select(part
            => new LayerInputs(this, First + part * size, Math.Min(size, Count - part * size)));
    }

    /// <summary>Where the weight of a unit for an input is stored.</summary>
    public int Place(int unit, int input) => IsTransposed ? (First + input) * Units + unit : unit * _whole + First + input;

    /// <summary>Rows of a batch of which the inputs are not too many to be held.</summary>
    public int RowsAtOnce(int batch) => (int)Math.Clamp(Most / (Math.Max(_whole, Units) * _positions), 1, batch);

    /// <summary>Inputs x positions, in double precision; of a layer of one group.</summary>
    /// <param name="find">Finds what the node reads.</param>
    public Tensor Read(Func<string, Tensor> find) => ReadGroups(find)[0];

    /// <summary>Groups x inputs x positions, in double precision. The positions of a row stand together, rows in order.</summary>
    /// <param name="find">Finds what the node reads.</param>
    public Tensor ReadGroups(Func<string, Tensor> find)
    {
        var data = find(Node.Inputs[0]);
        var read = InGroups(_patches is null ? data.reshape(-1, _whole).t()
            : _patches.Run(data, name => name == Weight ? _identity! : find(name)).transpose(0, 1).flatten(1));
        return Count == _whole ? read : read.narrow(1, First, Count);
    }

    /// <summary>Groups x units x positions of one of the tensors behind the layer, in double precision.</summary>
    public Tensor OutputGroups(Tensor tensor) => InGroups(_patches is null ? tensor.reshape(-1, tensor.shape[^1]).t() : tensor.transpose(0, 1).flatten(1));

    private Tensor InGroups(Tensor matrix) => matrix.view(Groups, -1, matrix.shape[1]).to(ScalarType.Float64);
}
