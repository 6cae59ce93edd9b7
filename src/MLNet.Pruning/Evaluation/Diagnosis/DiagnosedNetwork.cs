using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Scoring.Profiling;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>What is known of a network that is diagnosed: how long it takes as a whole, unprofiled, and where that goes by the profile.</summary>
internal sealed class DiagnosedNetwork
{
    private readonly Lazy<IReadOnlyList<PruningGroup>> _removable;
    private readonly Lazy<Network> _rest;
    private readonly Dictionary<string, double> _shares;

    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    public DiagnosedNetwork(Network network, DiagnosisOptions options)
    {
        (Network, Options, Threads) = (network, options, options.Threads ?? TorchThreads.Worth(network, options.BatchSize));
        Profile = OnnxProfile.Of(network, options.BatchSize, Threads, options.CancellationToken);
        Bytes = OnnxWriter.Write(network).CalculateSize();
        // A profile of many nodes may add up to a little more than a run takes without it.
        Whole = Math.Max(Profile.Milliseconds, Profile.Kernels.Sum(kernel => kernel.Milliseconds));
        Layers = [.. Profile.Kernels.GroupBy(LayerOf).Select(kernels => new LayerTime(kernels.Key, [.. kernels.Select(kernel => kernel.Operator).Distinct()],
            kernels.Sum(kernel => kernel.Milliseconds), kernels.Sum(Share)))];
        _shares = Layers.ToDictionary(layer => layer.Name, layer => layer.Share);
        _removable = new(() => RemovableUnits.Find(network, options.CancellationToken));
        _rest = new(() => network.Remove(Removable));
    }

    public Network Network { get; }

    public DiagnosisOptions Options { get; }

    public int Threads { get; }

    public OnnxProfile Profile { get; }

    /// <summary>Milliseconds that shares of time are of.</summary>
    public double Whole { get; }

    /// <summary>Of its ONNX file.</summary>
    public long Bytes { get; }

    public ImmutableArray<LayerTime> Layers { get; }

    /// <summary>Units that can go without any change.</summary>
    public IReadOnlyList<PruningGroup> Removable => _removable.Value;

    /// <summary>The network without them.</summary>
    public Network Rest => _rest.Value;

    /// <summary>A node's share of the time of a run.</summary>
    public double Share(KernelTime kernel) => kernel.Milliseconds / Whole;

    /// <summary>A layer's share, with what ONNX Runtime fused into it; 0 for one that runs within another.</summary>
    public double Share(string layer) => _shares.GetValueOrDefault(layer);

    /// <summary>The layer that a node computes: of those that it covers the one that multiplies most, else the last.</summary>
    public string LayerOf(KernelTime kernel) => Multiplying(kernel).MaxBy(layer => layer.MultiplyAdds.AtOnes)?.Node.Name
        ?? kernel.Covers.FirstOrDefault()?.Name ?? kernel.Node.Name;

    /// <summary>The layers that a node covers which multiply.</summary>
    public IEnumerable<LayerInfo> Multiplying(KernelTime kernel)
        => Network.Layers.Where(layer => kernel.Covers.Any(node => node.Name == layer.Node.Name) && layer.MultiplyAdds.AtOnes > 0);
}
