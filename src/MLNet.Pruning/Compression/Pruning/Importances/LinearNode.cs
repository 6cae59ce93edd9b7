using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring.Operators;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>A node that multiplies what it reads with a weight, run by itself, without a bias, on other data.</summary>
internal sealed class LinearNode
{
    private readonly List<string> _slots = [];
    private readonly Action<Pass> _run;
    private readonly IReadOnlyCollection<string> _reads;
    private readonly string _output;

    public LinearNode(Network network, LayerInfo layer, Device device)
    {
        var node = layer.Node;
        Weight = layer.Weights[0];
        Data = node.Inputs[node.Inputs[0] == Weight ? 1 : 0];
        var context = new OperatorContext(node.WithInputs(node.Inputs.Take(2)), network, device, Slot);
        _run = TorchOperators.Compile(context);
        (_reads, _output) = (context.Reads, node.Outputs[0]);
    }

    /// <summary>Name of the weight.</summary>
    public string Weight { get; }

    /// <summary>Name of what it multiplies.</summary>
    public string Data { get; }

    /// <summary>The node's output for other data, in the caller's dispose scope.</summary>
    /// <param name="data">Takes the place of <see cref="Data"/>.</param>
    /// <param name="find">Finds all else that the node reads.</param>
    public Tensor Run(Tensor data, Func<string, Tensor> find)
    {
        var pass = new Pass(_slots.Count, false, null);
        foreach (var name in _reads)
        {
            pass[Slot(name)] = name == Data ? data : find(name);
        }

        _run(pass);
        return pass[Slot(_output)];
    }

    private int Slot(string name)
    {
        if (!_slots.Contains(name))
        {
            _slots.Add(name);
        }

        return _slots.IndexOf(name);
    }
}
