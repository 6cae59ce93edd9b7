using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Sequential = TorchSharp.Modules.Sequential;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning;

/// <summary>
/// Turns a TorchSharp Sequential into layers. TorchSharp gives a module's weights, but neither stride nor padding nor epsilon: these are
/// found by running the module on random rows and taking the settings that give the same, which is exact for rows of this shape.
/// </summary>
internal sealed class ModuleReader
{
    /// <summary>Difference to a module's output, relative to its largest value, that is put down to rounding.</summary>
    private const float Tolerance = 1e-5f;

    private const int Rows = 2;

    private static readonly double[] s_epsilons = [1e-5, 1e-3, 1e-6, 1e-4, 1e-2, 1e-7, 1e-8, 1e-12];

    private readonly Random _random = new(1);
    private readonly List<Layer> _layers = [];
    private readonly Dictionary<string, float[]> _values = [];
    private int[] _shape;

    private ModuleReader(int[] shape) => _shape = shape;

    /// <inheritdoc cref="Network.FromModule"/>
    public static Network Read(Sequential module, int[] inputShape)
    {
        TorchRuntime.Require();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var reader = new ModuleReader(inputShape);
        reader.AddAll(module, "");
        var network = reader.Build(inputShape, reader._layers);
        var (rows, expected) = reader.Run(module, inputShape);
        return Distance(Forward(network, rows), expected) <= Tolerance * 10 ? network
            : throw new NotSupportedException($"The network read from the module does not compute what the module computes on rows of {Dimensions(inputShape)}: a module of it overrides what its type does.");
    }

    private void AddAll(Sequential module, string path)
    {
        if (module.GetType() != typeof(Sequential))
        {
            throw new NotSupportedException($"Module '{path}' is a {module.GetType()}, which may compute anything; expected TorchSharp's own Sequential.");
        }

        foreach (var (name, child) in module.named_children())
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            if (child is Sequential nested)
            {
                AddAll(nested, at);
            }
            else
            {
                Add(at, child as Module ?? throw Unknown(at, child));
            }
        }
    }

    private void Add(string name, Module module)
    {
        if (module is Identity)
        {
            return;
        }

        var (rows, expected) = Run(module, _shape);
        Network? found = null;
        foreach (var candidate in Candidates(name, module))
        {
            var network = TryBuild(candidate);
            if (network is not null && network.Output.Shape.Skip(1).SequenceEqual(expected.shape.Skip(1).Select(size => (int)size)) && Distance(Forward(network, rows), expected) <= Tolerance)
            {
                _layers.Add(candidate);
                found = network;
                break;
            }
        }

        _shape = [.. (found ?? throw new NotSupportedException($"Module '{name}' ({module.GetName()}) has settings that no layer of MLNet.Pruning has: on rows of {Dimensions(_shape)} "
            + $"it gives {Dimensions([.. expected.shape.Skip(1).Select(size => (int)size)])}. {Limits(module)}")).Output.Shape.Skip(1)];
    }

    /// <summary>The layers that the module may be, the likely ones first.</summary>
    private IEnumerable<Layer> Candidates(string name, Module module)
    {
        switch (module)
        {
            case Linear linear:
                Keep(name, linear.weight, linear.bias);
                return [Layer.Dense((int)linear.weight.shape[0], linear.bias is not null, name)];
            case Conv2d conv:
                Keep(name, conv.weight, conv.bias);
                return Convolutions(name, conv);
            case BatchNorm1d norm:
                KeepNorm(name, norm.weight, norm.bias, norm.running_mean, norm.running_var);
                return s_epsilons.Select(epsilon => Layer.BatchNorm(epsilon, name: name));
            case BatchNorm2d norm:
                KeepNorm(name, norm.weight, norm.bias, norm.running_mean, norm.running_var);
                return s_epsilons.Select(epsilon => Layer.BatchNorm(epsilon, name: name));
            case MaxPool2d:
                return Windows().Select(window => Layer.MaxPool(window.Kernel, window.Stride, window.Padding, name));
            case AvgPool2d:
                return Windows().Select(window => Layer.AveragePool(window.Kernel, window.Stride, window.Padding, name));
            case AdaptiveAvgPool2d:
                return [Layer.GlobalAveragePool(name)];
            case Flatten:
                return [Layer.Flatten(name)];
            case Dropout:
                return [Layer.Dropout(DropoutRate(name, module), name)];
            case ReLU:
                return [Layer.Relu(name)];
            case LeakyReLU:
                using (var negative = Tensor([1, 1], [-1f]))
                {
                    return [Layer.LeakyRelu(-Values(module.call(negative))[0], name)];
                }

            case GELU:
                return [Layer.Gelu(name)];
            case SiLU:
                return [Layer.Silu(name)];
            case Tanh:
                return [Layer.Tanh(name)];
            case Sigmoid:
                return [Layer.Sigmoid(name)];
            case Softmax:
                return [Layer.Softmax(name)];
            default:
                throw Unknown(name, module);
        }
    }

    private IEnumerable<Layer> Convolutions(string name, Conv2d conv)
    {
        var (filters, depth, kernel) = ((int)conv.weight.shape[0], (int)conv.weight.shape[1], (int)conv.weight.shape[2]);
        if (conv.weight.shape[3] != kernel || _shape.Length != 3 || _shape[0] % depth != 0)
        {
            yield break;
        }

        foreach (var dilation in Enumerable.Range(1, kernel == 1 ? 1 : 8))
        {
            var reach = dilation * (kernel - 1) + 1;
            for (var padding = 0; padding <= reach; padding++)
            {
                for (var stride = 1; stride <= Math.Max(1, _shape[1] + 2 * padding); stride++)
                {
                    yield return Layer.Conv2d(filters, kernel, stride, padding, dilation, _shape[0] / depth, conv.bias is not null, name);
                }
            }
        }
    }

    private IEnumerable<(int Kernel, int Stride, int Padding)> Windows()
    {
        var largest = _shape.Length == 3 ? Math.Min(_shape[1], _shape[2]) : 0;
        return from kernel in Enumerable.Range(1, largest)
               from padding in Enumerable.Range(0, kernel / 2 + 1)
               from stride in Enumerable.Range(1, largest + 2 * padding).OrderBy(stride => stride != kernel)
               select (kernel, stride, padding);
    }

    /// <summary>What training drops, told by how it scales up the rest.</summary>
    private static double DropoutRate(string name, Module module)
    {
        var training = module.training;
        module.train();
        try
        {
            using var ones = Tensor([1, 256], Enumerable.Repeat(1f, 256).ToArray());
            var scale = Values(module.call(ones)).Max();
            return scale >= 1 ? Math.Round(1 - 1 / scale, 6) : throw new NotSupportedException($"Module '{name}' (Dropout) drops everything.");
        }
        finally
        {
            module.train(training);
        }
    }

    private void Keep(string name, TorchParameter weight, TorchParameter? bias)
    {
        _values[name + ".weight"] = Values(weight);
        if (bias is not null)
        {
            _values[name + ".bias"] = Values(bias);
        }
    }

    private void KeepNorm(string name, TorchParameter? weight, TorchParameter? bias, Tensor? mean, Tensor? variance)
    {
        if (weight is null || bias is null || mean is null || variance is null)
        {
            throw new NotSupportedException($"Module '{name}' (batch normalisation) has no {(mean is null || variance is null ? "running statistics" : "weight and bias")}; expected affine and track_running_stats.");
        }

        Keep(name, weight, bias);
        _values[name + ".mean"] = Values(mean);
        _values[name + ".variance"] = Values(variance);
    }

    /// <summary>The layer alone, on rows of the present shape; null where it does not fit them.</summary>
    private Network? TryBuild(Layer layer)
    {
        try
        {
            return Build(_shape, [layer]);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private Network Build(int[] shape, List<Layer> layers)
    {
        var network = Network.Sequential(shape, [.. layers]);
        return network.WithParameters(network.Parameters.Select(parameter => parameter.WithValues(_values[parameter.Name])));
    }

    /// <summary>Random rows, and what the module makes of them when it is not trained.</summary>
    private (Tensor Rows, Tensor Output) Run(Module module, int[] shape)
    {
        var states = module.modules().Append(module).Select(part => (part, part.training)).ToArray();
        try
        {
            module.eval();
            var values = new float[Rows * shape.Aggregate(1, (product, size) => product * size)];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = 2 * _random.NextSingle() - 1;
            }

            using var rows = Tensor([Rows, .. shape], values);
            var place = module.parameters().FirstOrDefault()?.device ?? CPU;
            using var there = rows.to(place);
            return (rows.view(Rows, -1).clone(), module.call(there).cpu());
        }
        finally
        {
            foreach (var (part, training) in states.Reverse())
            {
                part.train(training);
            }
        }
    }

    private static Tensor Forward(Network network, Tensor rows)
    {
        using var graph = TorchGraph.ForScoring(network, network.Output.Name);
        return graph.Forward(rows);
    }

    private static float Distance(Tensor actual, Tensor expected)
    {
        var (found, wanted) = (Values(actual), Values(expected));
        if (found.Length != wanted.Length)
        {
            return float.PositiveInfinity;
        }

        var (scale, largest) = (1f, 0f);
        for (var i = 0; i < found.Length; i++)
        {
            (scale, largest) = (Math.Max(scale, Math.Abs(wanted[i])), Math.Max(largest, Math.Abs(found[i] - wanted[i])));
        }

        return largest / scale;
    }

    private static Tensor Tensor(long[] shape, float[] values)
    {
        using var flat = frombuffer(values, ScalarType.Float32);
        return flat.view(shape).clone();
    }

    private static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().to(ScalarType.Float32).contiguous().bytes).ToArray();
    }

    private static string Limits(Module module) => module switch
    {
        Conv2d => "Convolutions have square kernels, the same stride, padding and dilation (up to 8) in both directions, and zeros for padding.",
        MaxPool2d or AvgPool2d => "Pooling has square windows, the same stride and padding in both directions, and no ceiling mode.",
        AdaptiveAvgPool2d => "Adaptive pooling gives a single value a channel.",
        BatchNorm1d or BatchNorm2d => $"The epsilon of batch normalisation is one of {string.Join(", ", s_epsilons)}.",
        Flatten => "Flatten keeps the batch and merges everything else.",
        Softmax => "Softmax goes over dimension 1.",
        _ => "",
    };

    private static string Dimensions(int[] shape) => string.Join(" x ", shape);

    private static NotSupportedException Unknown(string name, nn.Module module) => new(
        $"Module '{name}' ({module.GetName()}) is not one that can be read: Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, Dropout, ReLU, LeakyReLU, "
        + "GELU, SiLU, Tanh, Sigmoid, Softmax, Identity and Sequential are. Export the module to ONNX and use Network.FromOnnx.");
}
