using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Scoring;

/// <summary>A network's parameters as tensors that training may change, on the device it runs on.</summary>
internal sealed class TrainedWeights : IDisposable
{
    private readonly Network _network;
    private readonly Dictionary<string, (TorchParameter Parameter, Tensor Mask)> _masked = [];
    private readonly Device _device;

    /// <param name="network">The network.</param>
    /// <param name="masks">What is dropped of it.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="shares">
    /// Whether parameters that a copy would lie in memory like are the network's own storage, which then must not be written to; only on the CPU.
    /// </param>
    public TrainedWeights(Network network, IReadOnlyDictionary<string, WeightMask> masks, Device device, bool shares = false)
    {
        (_network, _device) = (network, device);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        foreach (var parameter in network.Parameters)
        {
            var view = TorchGraph.View(parameter);
            var tensor = shares && device.type == DeviceType.CPU && view.dim() != 4 ? view : Copy(view, device);
            tensors[parameter.Name] = (parameter.Trainable ? new TorchParameter(tensor) : tensor).DetachFromDisposeScope();
        }

        Graph = new TorchGraph(network, tensors, logits: true, device);
        Trainable = [.. tensors.Values.OfType<TorchParameter>()];
        Hold(masks);
    }

    public TorchGraph Graph { get; }

    public IReadOnlyList<TorchParameter> Trainable { get; }

    /// <summary>The parameters of the last layers that have any; all trainable ones for null.</summary>
    public IReadOnlyList<TorchParameter> Trained(Network network, int? lastLayers)
    {
        if (lastLayers is not { } count)
        {
            return Trainable;
        }

        var all = network.Layers.Where(layer => layer.Parameters.Any(name => network[name].Trainable)).ToArray();
        var layers = count <= all.Length ? all.TakeLast(count) : throw new ArgumentOutOfRangeException("LastLayers", count,
            $"The last {count} layers are to be trained, but the network has {all.Length} with parameters.");
        return [.. layers.SelectMany(layer => layer.Parameters).Distinct().Select(name => Graph.Parameters[name]).OfType<TorchParameter>()];
    }

    /// <summary>From here on these masks say what is dropped; parameters without one keep what they had.</summary>
    /// <exception cref="ArgumentException">A mask is of a parameter that the network does not have.</exception>
    public void Hold(IReadOnlyDictionary<string, WeightMask> masks)
    {
        foreach (var (name, mask) in masks)
        {
            if (!Graph.Parameters.ContainsKey(name))
            {
                throw new ArgumentException($"'{name}' is pruned, and the network that is trained has it no more: rounding folds batch normalisation into the "
                    + "layer before it. Fold it first, with FoldBatchNorm, and prune the weight of that layer.");
            }

            if (_masked.Remove(name, out var before))
            {
                before.Mask.Dispose();
            }

            _masked[name] = ((TorchParameter)Graph.Parameters[name], Load(name, mask.ToFactors()));
        }
    }

    /// <summary>Values of a parameter as a tensor that lies in memory as the parameter does, owned by the caller.</summary>
    public Tensor Load(string parameter, float[] values)
    {
        using var scope = NewDisposeScope();
        using var flat = frombuffer(values, ScalarType.Float32);
        return Copy(flat.view(Graph.Parameters[parameter].shape), _device).DetachFromDisposeScope();
    }

    /// <summary>Sets dropped weights to zero: those dropped in mid-training still have the optimizer's momentum.</summary>
    public void MaskWeights()
    {
        using var noGrad = no_grad();
        foreach (var (parameter, mask) in _masked.Values)
        {
            parameter.mul_(mask);
        }
    }

    /// <summary>Sets what these masks leave out to zero for once.</summary>
    public void Zero(IReadOnlyDictionary<string, WeightMask> masks)
    {
        using var noGrad = no_grad();
        foreach (var (name, mask) in masks)
        {
            using var scope = NewDisposeScope();
            using var kept = Load(name, mask.ToFactors());
            Graph.Parameters[name].mul_(kept);
        }
    }

    /// <summary>
    /// Takes dropped weights out of the gradient. Their weight being zero and the optimizer's state starting at zero, every update
    /// of theirs is then exactly zero, with momentum and weight decay too; and clipping measures only what moves.
    /// </summary>
    public void MaskGradients()
    {
        foreach (var (parameter, mask) in _masked.Values)
        {
            parameter.grad?.mul_(mask);
        }
    }

    /// <summary>The values as they are now, as a new network.</summary>
    public Network Snapshot()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return _network.WithParameters(_network.Parameters.Select(parameter =>
        {
            var values = GC.AllocateUninitializedArray<float>(parameter.Count, pinned: true);
            MemoryMarshal.Cast<byte, float>(Graph.Parameters[parameter.Name].detach().cpu().contiguous().bytes).CopyTo(values);
            return parameter.WithValues(values);
        }));
    }

    public void Dispose()
    {
        Graph.Dispose();
        foreach (var (_, mask) in _masked.Values)
        {
            mask.Dispose();
        }
    }

    /// <summary>
    /// A copy, for the network's own storage is immutable; on the CPU it is aligned for vector instructions, too. Kernels of
    /// convolutions lie channels last there, and the activations take after them: build/bench.sh shows what that gains for LeNet-5.
    /// </summary>
    private static Tensor Copy(Tensor values, Device device)
    {
        if (values.dim() != 4 || device.type != DeviceType.CPU)
        {
            return values.to(device, copy: true);
        }

        // Filled rather than made by contiguous(), which leaves a single channel as it is.
        var permuted = values.permute(0, 2, 3, 1);
        return empty(permuted.shape).copy_(permuted).permute(0, 3, 1, 2);
    }
}
