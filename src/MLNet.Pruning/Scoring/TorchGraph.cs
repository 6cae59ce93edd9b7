using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring.Operators;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring;

/// <summary>
/// A network as TorchSharp operations: each node becomes a closure over the slots of the tensors it reads and writes.
/// Serves one thread at a time. Scalars are made once and kept by the closures: TorchSharp does not keep a temporary one alive during
/// the native call that reads it.
/// </summary>
internal sealed class TorchGraph : IDisposable
{
    private readonly Dictionary<string, int> _slots = [];
    private readonly Step[] _steps;
    private readonly RowLayout _rows;
    private readonly Dictionary<string, Tensor> _parameters;
    private readonly (int Slot, Tensor Tensor)[] _fixed;
    private readonly List<Tensor> _owned = [];
    private readonly int _result;

    /// <param name="network">The network to run.</param>
    /// <param name="parameters">Its parameters as tensors, by name; owned and disposed by the graph.</param>
    /// <param name="logits">Whether to stop before a softmax or sigmoid that ends the graph.</param>
    /// <param name="device">Where the parameters are; null for the CPU.</param>
    /// <param name="result">The tensor to compute; null for the network's first output.</param>
    /// <exception cref="NotSupportedException">An operator that the result needs cannot be run.</exception>
    public TorchGraph(Network network, Dictionary<string, Tensor> parameters, bool logits, Device? device = null, string? result = null)
    {
        _parameters = parameters;
        _rows = new RowLayout(network, Slot);
        var wanted = result ?? (logits ? network.Logits : network.Output.Name);
        _result = Slot(wanted);
        var compiled = Compile(network, device ?? CPU, wanted);
        var ready = Ready(network, compiled.SelectMany(step => step.Context.Reads).ToHashSet(), device ?? CPU);
        _fixed = [.. ready.Select(tensor => (Slot(tensor.Key), tensor.Value))];
        _steps = Schedule(compiled, [.. network.Inputs.Select(input => input.Name), .. ready.Keys], wanted);
    }

    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>For running, never for training: on the CPU, tensors over the network's own storage, without a copy.</summary>
    public static TorchGraph ForScoring(Network network, string? result = null, Device? device = null)
        => new(network, network.Parameters.ToDictionary(parameter => parameter.Name, parameter => device is null ? View(parameter)
            : View(parameter).to(device)), logits: true, device, result);

    /// <summary>The parameter's storage as a tensor of its shape.</summary>
    public static Tensor View(Parameter parameter)
    {
        if (parameter.Count == 0)
        {
            return empty([.. parameter.Shape.Select(size => (long)size)]);
        }

        using var flat = frombuffer(parameter.Array, ScalarType.Float32);
        return flat.view([.. parameter.Shape.Select(size => (long)size)]);
    }

    /// <summary>Runs a batch.</summary>
    /// <param name="rows">Batch x values of a row: those of all inputs, one after another.</param>
    /// <param name="training">Whether dropout drops and batch normalisation uses the batch's statistics.</param>
    /// <param name="random">Source of dropout's choices; needed only in training.</param>
    /// <param name="visit">Called after each node with what finds the tensors it reads and writes by name.</param>
    /// <param name="last">Name of the tensor that is wanted: nodes behind the one that makes it are left out. Null for the network's output.</param>
    /// <returns>A tensor owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The rows do not fit the network's inputs.</exception>
    /// <exception cref="InvalidOperationException">A node cannot work on the values it is given, such as an index beyond a table.</exception>
    public Tensor Forward(Tensor rows, bool training = false, Generator? random = null, Action<Node, Func<string, Tensor>>? visit = null, string? last = null)
    {
        var pass = new Pass(_slots.Count, training, random);
        foreach (var (slot, tensor) in _fixed)
        {
            pass[slot] = tensor;
        }

        _rows.Cut(rows, pass);
        foreach (var step in _steps)
        {
            try
            {
                step.Run(pass);
            }
            catch (ExternalException e)
            {
                throw new InvalidOperationException($"Node '{step.Node.Name}' ({step.Node.Operator}) cannot be run on these rows: {e.Message}", e);
            }

            visit?.Invoke(step.Node, name => pass[_slots[name]]);
            if (last is not null && step.Node.Outputs.Contains(last))
            {
                return pass[_slots[last]];
            }

            foreach (var slot in step.Freed)
            {
                pass.Free(slot);
            }
        }

        return pass[_result];
    }

    public void Dispose()
    {
        foreach (var tensor in _parameters.Values.Concat(_owned))
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

    /// <summary>The nodes that the result needs, in order.</summary>
    private List<(OperatorContext Context, Action<Pass> Run)> Compile(Network network, Device device, string result)
    {
        var steps = new List<(OperatorContext Context, Action<Pass> Run)>();
        NetworkParts.Ancestors(network.Nodes, [result], node =>
        {
            var context = new OperatorContext(node, network, device, Slot);
            steps.Add((context, TorchOperators.Compile(context)));
            _owned.AddRange(context.Owned);
            return context.Reads;
        });
        steps.Reverse();
        return steps;
    }

    /// <summary>The parameters and constants that are read.</summary>
    private Dictionary<string, Tensor> Ready(Network network, HashSet<string> read, Device device)
    {
        var ready = _parameters.Where(parameter => read.Contains(parameter.Key)).ToDictionary();
        foreach (var constant in network.Graph.Constants)
        {
            if (read.Contains(constant.Name) && !constant.Values.IsDefault && OperatorContext.ElementType(constant.Type) is { } type)
            {
                using var scope = NewDisposeScope();
                var values = tensor([.. constant.Values], [.. constant.Shape.Select(size => (long)size)], type, device).DetachFromDisposeScope();
                _owned.Add(values);
                ready.Add(constant.Name, values);
            }
        }

        return ready;
    }

    /// <summary>The steps with what each is the last to read, or writes for nobody.</summary>
    private Step[] Schedule(List<(OperatorContext Context, Action<Pass> Run)> compiled, HashSet<string> known, string result)
    {
        var kept = known.Append(result).ToHashSet();
        var last = new Dictionary<string, int>();
        for (var i = 0; i < compiled.Count; i++)
        {
            var context = compiled[i].Context;
            foreach (var name in context.Reads)
            {
                context.Require(known.Contains(name), $"reads '{name}', which no node that can be run computes");
                last[name] = i;
            }

            foreach (var name in context.Writes)
            {
                known.Add(name);
                last[name] = i;
            }
        }

        var freed = last.Where(read => !kept.Contains(read.Key)).ToLookup(read => read.Value, read => Slot(read.Key));
        return [.. compiled.Select((step, i) => new Step(step.Context.Node, step.Run, [.. freed[i]]))];
    }

    private readonly record struct Step(Node Node, Action<Pass> Run, int[] Freed);
}
