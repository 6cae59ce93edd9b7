using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Sequential = TorchSharp.Modules.Sequential;

namespace MLNet.Pruning.Training;

/// <summary>Turns a TorchSharp Sequential into a network, by the settings and weights that its modules tell; none of them is run.</summary>
internal sealed class ModuleReader
{
    private readonly GraphBuilder _graph;
    private readonly Dictionary<string, Tensor> _tensors = [];

    private ModuleReader(int[] inputShape) => _graph = new(inputShape);

    /// <inheritdoc cref="Network.FromModule"/>
    public static Network Read(Sequential module, int[] inputShape)
    {
        TorchRuntime.Require();
        var reader = new ModuleReader(inputShape);
        reader.AddAll(module, "");
        var network = reader._graph.ToNetwork();
        return network.WithParameters(network.Parameters.Select(reader.WithValues));
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
                ModuleLayers.Of(at, child, _graph.Shape)?.Build(_graph);
                Keep(at, child);
            }
        }
    }

    private void Keep(string name, nn.Module module)
    {
        switch (module)
        {
            case Linear linear:
                Keep(name, linear.weight, linear.bias);
                break;
            case Convolution convolution:
                Keep(name, convolution.weight, convolution.bias);
                break;
            case BatchNorm norm:
                Keep(name, norm.weight, norm.bias);
                _tensors[name + ".mean"] = norm.running_mean!;
                _tensors[name + ".variance"] = norm.running_var!;
                break;
        }
    }

    private void Keep(string name, Tensor weight, Tensor? bias)
    {
        _tensors[name + ".weight"] = weight;
        if (bias is not null)
        {
            _tensors[name + ".bias"] = bias;
        }
    }

    private Parameter WithValues(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        var tensor = _tensors[parameter.Name];
        var shape = tensor.shape.Select(size => (int)size).ToImmutableArray();
        if (!shape.SequenceEqual(parameter.Shape))
        {
            throw new ArgumentException($"The modules do not fit each other on rows of that input shape: '{parameter.Name}' is "
                + $"{TensorInfo.Dimensions(shape)}, but what its module is given takes {TensorInfo.Dimensions(parameter.Shape)}.", "inputShape");
        }

        return parameter.WithValues(MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().to(ScalarType.Float32).contiguous().bytes).ToArray());
    }
}
