using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning;

/// <summary>
/// A network as TorchSharp operations: each node becomes a closure over the slots of the tensors it reads and writes.
/// Serves one thread at a time. Scalars are made once and kept by the closures: TorchSharp does not keep a temporary one alive during
/// the native call that reads it.
/// </summary>
internal sealed class TorchGraph : IDisposable
{
    private readonly Dictionary<string, int> _slots = [];
    private readonly List<Action<Tensor[], Pass>> _steps = [];
    private readonly Dictionary<string, Tensor> _parameters;
    private readonly int[] _parameterSlots;
    private readonly int _result;

    /// <param name="network">The network to run.</param>
    /// <param name="parameters">Its parameters as tensors, by name; owned and disposed by the graph.</param>
    /// <param name="logits">Whether to stop before a softmax or sigmoid that ends the graph.</param>
    public TorchGraph(Network network, Dictionary<string, Tensor> parameters, bool logits)
    {
        _parameters = parameters;
        _parameterSlots = [.. parameters.Keys.Select(Slot)];
        Slot(network.Input.Name);
        foreach (var node in network.Nodes)
        {
            _steps.Add(Compile(node));
        }

        var last = network.Nodes[^1];
        var stopsEarly = logits && last.Outputs[0] == network.Output.Name && last.Operator is "Softmax" or "Sigmoid";
        if (stopsEarly)
        {
            _steps.RemoveAt(_steps.Count - 1);
        }

        _result = Slot(stopsEarly ? last.Inputs[0] : network.Output.Name);
        Input = network.Input;
    }

    public TensorInfo Input { get; }

    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>Tensors over the network's own storage, without a copy: for running, never for training.</summary>
    public static TorchGraph ForScoring(Network network)
        => new(network, network.Parameters.ToDictionary(parameter => parameter.Name, View), logits: true);

    /// <summary>The parameter's storage as a tensor of its shape.</summary>
    public static Tensor View(Parameter parameter)
    {
        using var flat = frombuffer(parameter.Array, ScalarType.Float32);
        return flat.view([.. parameter.Shape.Select(size => (long)size)]);
    }

    /// <summary>Runs a batch.</summary>
    /// <param name="rows">Batch x values of a row.</param>
    /// <param name="training">Whether dropout drops and batch normalisation uses the batch's statistics.</param>
    /// <param name="random">Source of dropout's choices; needed only in training.</param>
    /// <returns>A tensor owned by the caller's dispose scope.</returns>
    public Tensor Forward(Tensor rows, bool training = false, Generator? random = null)
    {
        var values = new Tensor[_slots.Count];
        var i = 0;
        foreach (var parameter in _parameters.Values)
        {
            values[_parameterSlots[i++]] = parameter;
        }

        values[_slots[Input.Name]] = Input.Shape.Length == 2 ? rows : rows.view([-1, .. Input.Shape.Skip(1).Select(size => (long)size)]);
        var pass = new Pass(training, random);
        foreach (var step in _steps)
        {
            step(values, pass);
        }

        return values[_result];
    }

    public void Dispose()
    {
        foreach (var tensor in _parameters.Values)
        {
            tensor.Dispose();
        }
    }

    private int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out var slot))
        {
            _slots[name] = slot = _slots.Count;
        }

        return slot;
    }

    private Action<Tensor[], Pass> Compile(Node node)
    {
        var inputs = node.Inputs.Select(Slot).ToArray();
        var output = Slot(node.Outputs[0]);
        var x = inputs[0];
        Func<Tensor[], Pass, Tensor> run = node.Operator switch
        {
            "Gemm" => (v, _) => F.linear(v[x], v[inputs[1]], Bias(v, inputs)),
            "Conv" => Convolution(node, inputs),
            "BatchNormalization" => BatchNormalization(node, inputs),
            "MaxPool" => Pooling(node, (v, kernel, strides, pads) => F.max_pool2d(v, kernel, strides, pads), x),
            "AveragePool" => Pooling(node, (v, kernel, strides, pads) => F.avg_pool2d(v, kernel, strides, pads), x),
            "GlobalAveragePool" => (v, _) => F.adaptive_avg_pool2d(v[x], 1),
            "Flatten" => (v, _) => v[x].flatten(1),
            "Dropout" => Dropout(node, x),
            "Relu" => (v, _) => F.relu(v[x]),
            "LeakyRelu" => LeakyRelu(node, x),
            "Gelu" => (v, _) => F.gelu(v[x]),
            "Tanh" => (v, _) => v[x].tanh(),
            "Sigmoid" => (v, _) => v[x].sigmoid(),
            "Softmax" => (v, _) => F.softmax(v[x], 1),
            "Mul" => (v, _) => v[x] * v[inputs[1]],
            "Add" => Addition(x, inputs[1]),
            _ => throw new NotSupportedException($"Node '{node.Name}' has the operator '{node.Operator}', which cannot be run."),
        };
        return (values, pass) => values[output] = run(values, pass);
    }

    private static Tensor? Bias(Tensor[] values, int[] inputs) => inputs.Length > 2 ? values[inputs[2]] : null;

    private static Func<Tensor[], Pass, Tensor> Convolution(Node node, int[] inputs)
    {
        var (strides, pads, dilations, group) = (node.Ints("strides", 1, 1), node.Ints("pads", 0, 0, 0, 0)[..2], node.Ints("dilations", 1, 1), node.Int("group", 1));
        return (v, _) => F.conv2d(v[inputs[0]], v[inputs[1]], Bias(v, inputs), strides, pads, dilations, group);
    }

    private static Func<Tensor[], Pass, Tensor> BatchNormalization(Node node, int[] inputs)
    {
        // ONNX counts the share of the old running value, PyTorch that of the new one.
        var (epsilon, momentum) = (node.Float("epsilon", 1e-5f), 1 - node.Float("momentum", 0.9f));
        return (v, pass) => F.batch_norm(v[inputs[0]], v[inputs[3]], v[inputs[4]], v[inputs[1]], v[inputs[2]], pass.Training, momentum, epsilon);
    }

    private static Func<Tensor[], Pass, Tensor> Pooling(Node node, Func<Tensor, long[], long[], long[], Tensor> pool, int x)
    {
        var (kernel, strides, pads) = (node.Ints("kernel_shape"), node.Ints("strides", 1, 1), node.Ints("pads", 0, 0, 0, 0)[..2]);
        return (v, _) => pool(v[x], kernel, strides, pads);
    }

    private static Func<Tensor[], Pass, Tensor> Addition(int a, int b)
    {
        Scalar one = 1.0;
        return (v, _) => v[a].add(v[b], one);
    }

    private static Func<Tensor[], Pass, Tensor> LeakyRelu(Node node, int x)
    {
        Scalar slope = node.Float("alpha", 0.01f);
        return (v, _) => v[x].leaky_relu(slope);
    }

    /// <summary>Draws from the pass's own generator: the library's global one would mix parallel fits and lose "same seed, same bits".</summary>
    private static Func<Tensor[], Pass, Tensor> Dropout(Node node, int x)
    {
        double kept = 1 - node.Float("ratio", 0.5f);
        Scalar divisor = kept;
        return (v, pass) =>
        {
            if (!pass.Training)
            {
                return v[x];
            }

            // On the CPU wherever the network runs: TorchSharp makes no generators for GPUs.
            using var mask = empty(v[x].shape).bernoulli_(kept, pass.Random).div_(divisor);
            return v[x] * mask.to(v[x].dtype, v[x].device);
        };
    }

    private readonly record struct Pass(bool Training, Generator? Random);
}
