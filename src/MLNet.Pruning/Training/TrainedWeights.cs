using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning;

/// <summary>A network's parameters as tensors that training may change, on the device it runs on.</summary>
internal sealed class TrainedWeights : IDisposable
{
    private readonly Network _network;
    private readonly List<(TorchParameter Parameter, Tensor Mask)> _masked = [];

    public TrainedWeights(Network network, IReadOnlyDictionary<string, WeightMask> masks, Device device)
    {
        _network = network;
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        foreach (var parameter in network.Parameters)
        {
            using var view = TorchGraph.View(parameter);
            var tensor = Copy(view, device);
            tensors[parameter.Name] = (parameter.Trainable ? new TorchParameter(tensor) : tensor).DetachFromDisposeScope();
        }

        foreach (var (name, mask) in masks)
        {
            var ones = new float[mask.Count];
            Array.Fill(ones, 1f);
            var parameter = network[name];
            using var flat = frombuffer(mask.Apply(ones), ScalarType.Float32);
            _masked.Add(((TorchParameter)tensors[name], Copy(flat.view([.. parameter.Shape.Select(size => (long)size)]), device).DetachFromDisposeScope()));
        }

        Graph = new TorchGraph(network, tensors, logits: true, device);
        Trainable = [.. tensors.Values.OfType<TorchParameter>()];
    }

    public TorchGraph Graph { get; }

    public IReadOnlyList<TorchParameter> Trainable { get; }

    /// <summary>
    /// Takes dropped weights out of the gradient. Their weight being zero and the optimizer's state starting at zero, every update
    /// of theirs is then exactly zero, with momentum and weight decay too; and clipping measures only what moves.
    /// </summary>
    public void MaskGradients()
    {
        foreach (var (parameter, mask) in _masked)
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
        foreach (var (_, mask) in _masked)
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
