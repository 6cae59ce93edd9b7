using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring.Profiling;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>Operators that ONNX Runtime would take into a layer, or leave out, were they elsewhere: normalisation, activations, casts, quantisation.</summary>
internal sealed class UnfusedOperators
{
    /// <summary>What moves values, or leaves them as they are.</summary>
    private static readonly string[] s_moves = ["Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout"];

    /// <summary>What ONNX Runtime takes into the layer before.</summary>
    private static readonly string[] s_fused = ["Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "BatchNormalization"];

    private static readonly string[] s_integers = ["QuantizeLinear", "DequantizeLinear"];

    private readonly DiagnosedNetwork _network;
    private readonly Dictionary<string, KernelTime> _makers = [];
    private readonly ILookup<string, KernelTime> _readers;

    private UnfusedOperators(DiagnosedNetwork network)
    {
        _network = network;
        foreach (var kernel in network.Profile.Kernels)
        {
            foreach (var output in kernel.Node.Output.Where(output => output.Length > 0))
            {
                _makers[output] = kernel;
            }
        }

        _readers = network.Profile.Kernels.SelectMany(kernel => kernel.Node.Input.Select(input => (input, kernel)))
            .ToLookup(pair => pair.input, pair => pair.kernel);
    }

    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var operators = new UnfusedOperators(network);
        return new[] { operators.Normalisations(), operators.Interrupted(), operators.Casts(), operators.Integers() }.OfType<DiagnosisFinding>()
            .Where(finding => finding.Share >= network.Options.MinimumShare);
    }

    /// <summary>Batch normalisations that no layer has taken in.</summary>
    private DiagnosisFinding? Normalisations()
    {
        (KernelTime Kernel, Node Norm)[] alone = [.. from kernel in _network.Profile.Kernels
                                                     where !_network.Multiplying(kernel).Any()
                                                     let norm = kernel.Covers.FirstOrDefault(node => node.Operator == "BatchNormalization")
                                                     where norm is not null
                                                     select (kernel, norm)];
        if (alone.Length == 0)
        {
            return null;
        }

        var folded = _network.Network.FoldBatchNorm().Nodes.Select(node => node.Name).ToHashSet();
        var canFold = alone.Any(found => !folded.Contains(found.Norm.Name));
        return Finding(FindingKind.UnfusedOperators, alone.Select(found => (found.Norm.Name, found.Kernel)),
            $"batch normalisation runs as an operator of its own: {Reason(alone.MaxBy(found => found.Kernel.Milliseconds).Norm)}.",
            canFold ? "Take it into the layer before it: network.FoldBatchNorm()."
                : "Train with the normalisation right behind a convolution or dense layer that nothing else reads.",
            canFold ? "prune model.onnx -o folded.onnx --sparsity 0 --fold-batch-norm" : null);
    }

    private string Reason(Node norm) => _network.Network.Producer(norm.Inputs[0]) is not { } before ? $"'{norm.Name}' reads the input"
        : _network.Network.Consumers(norm.Inputs[0]).Count() > 1 ? $"what '{norm.Name}' reads is read elsewhere too"
        : $"ONNX Runtime does not take '{norm.Name}' into '{before.Name}' ({before.Operator}) before it";

    /// <summary>Activations that something stands before which only moves values.</summary>
    private DiagnosisFinding? Interrupted()
    {
        (KernelTime Move, KernelTime Reader)[] between = [.. from move in _network.Profile.Kernels
                                                             where s_moves.Contains(move.Node.OpType) && IsOfLayer(move)
                                                             from reader in Readers(move)
                                                             where s_fused.Contains(reader.Node.OpType)
                                                             select (move, reader)];
        if (between.Length == 0)
        {
            return null;
        }

        var (first, second) = (between[0].Move.Node, between[0].Reader.Node);
        return Finding(FindingKind.UnfusedOperators,
            between.SelectMany(pair => new[] { pair.Move, pair.Reader }).Distinct().Select(kernel => (kernel.Node.Name, kernel)),
            $"'{first.Name}' ({first.OpType}) stands between a layer and '{second.Name}' ({second.OpType}), which ONNX Runtime would else compute with the "
                + "layer.",
            "Export the model with the activation right behind the layer, and what changes the shape or type behind that.");
    }

    /// <summary>Casts, such as those around operators of a network of short floats that ONNX Runtime computes in long ones.</summary>
    private DiagnosisFinding? Casts()
    {
        // Not what the library itself appends, since scores are floats.
        var nodes = _network.Network.Nodes.Select(node => node.Name).ToHashSet();
        KernelTime[] casts = [.. _network.Profile.Kernels.Where(kernel => kernel.Node.OpType == "Cast"
            && kernel.Covers.Any(node => nodes.Contains(node.Name)))];
        return casts.Length == 0 ? null : Finding(FindingKind.UnfusedOperators, casts.Select(kernel => (kernel.Node.Name, kernel)),
            "values are changed from one type to another: on most processors ONNX Runtime computes short floats as long ones.",
            "Keep 32-bit floats where time counts, or quantise with Quantizer.Int8(): Quantizer.Float16 makes the file smaller, not the run faster.",
            "quantize original.onnx -o int8.onnx --data rows.csv --label y");
    }

    /// <summary>Layers of floats behind a conversion from integers.</summary>
    private DiagnosisFinding? Integers()
    {
        KernelTime[] floats = [.. _network.Profile.Kernels.Where(kernel => !s_integers.Contains(kernel.Node.OpType) && _network.Multiplying(kernel).Any()
            && Makers(kernel).Any(maker => maker.Node.OpType == "DequantizeLinear"))];
        return floats.Length == 0 ? null : Finding(FindingKind.UnfusedIntegers,
            floats.Concat(floats.SelectMany(Makers).Where(maker => s_integers.Contains(maker.Node.OpType))).Distinct()
                .Select(kernel => (_network.LayerOf(kernel), kernel)),
            "the file holds integers, but these layers are computed in floats, behind a DequantizeLinear that runs each time. Integer kernels need a pair of "
                + "QuantizeLinear and DequantizeLinear on what a layer reads, on its weights and on what it makes.",
            "Quantise with Quantizer.Int8() on rows, or dense layers with Quantizer.DynamicInt8(); Quantizer.Weights makes the file smaller, not the run "
                + "faster.",
            "quantize original.onnx -o int8.onnx --data rows.csv --label y");
    }

    private DiagnosisFinding Finding(FindingKind kind, IEnumerable<(string Name, KernelTime Kernel)> places, string why, string advice, string? command = null)
    {
        FindingPlace[] all = [.. places.GroupBy(place => place.Name,
            (name, kernels) => new FindingPlace(name, kernels.Sum(kernel => _network.Share(kernel.Kernel))))];
        return new(kind, all, all.Sum(place => place.Share), why, advice, command);
    }

    /// <summary>What makes the tensors that a node reads, past changes of layout.</summary>
    private IEnumerable<KernelTime> Makers(KernelTime kernel) => kernel.Node.Input.Select(_makers.GetValueOrDefault).OfType<KernelTime>()
        .SelectMany(maker => maker.IsReorder ? Makers(maker) : [maker]);

    /// <summary>What reads the tensors that a node makes, past changes of layout.</summary>
    private IEnumerable<KernelTime> Readers(KernelTime kernel) => kernel.Node.Output.SelectMany(output => _readers[output])
        .SelectMany(reader => reader.IsReorder ? Readers(reader) : [reader]);

    private bool IsOfLayer(KernelTime kernel) => Makers(kernel).FirstOrDefault() is { } maker && _network.Multiplying(maker).Any();
}
