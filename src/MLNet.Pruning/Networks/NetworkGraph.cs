using System.Collections.Concurrent;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks;

/// <summary>
/// A network without its weights: the operators, what parameters they read, and what follows from these alone, such as the shapes of all tensors. Networks
/// that differ in values only share one, so that nothing is inferred twice. Immutable, but for what is kept once it was computed.
/// </summary>
internal sealed class NetworkGraph
{
    private readonly NetworkParts _parts;
    private readonly Dictionary<string, int> _places;
    private readonly Dictionary<string, Constant> _constants;
    private readonly Lazy<Dictionary<string, Node>> _producers;
    private readonly Lazy<ILookup<string, Node>> _consumers;
    private readonly ConcurrentDictionary<object, Lazy<object>> _derived = [];

    /// <exception cref="ArgumentException">A node does not fit what it reads, or a name is missing or occurs twice.</exception>
    public NetworkGraph(NetworkParts parts)
    {
        _parts = parts with
        {
            Parameters = [.. parts.Parameters.Select(parameter => parameter.IsInitialized ? parameter.WithShape(parameter.Shape) : parameter)],
        };
        _places = Parameters.Index().ToDictionary(entry => entry.Item.Name, entry => entry.Index);
        _constants = Constants.ToDictionary(constant => constant.Name);
        _producers = new(() => Nodes.SelectMany(node => node.Outputs.Where(output => output.Length > 0).Select(output => (output, node)))
            .ToDictionary(pair => pair.output, pair => pair.node));
        _consumers = new(() => Nodes.SelectMany(node => node.Inputs.Concat(node.Captured).Distinct().Select(name => (name, node)))
            .ToLookup(pair => pair.name, pair => pair.node));
        Tensors = ShapeInference.Run(_parts, Parameter, Constant);
        if (Outputs.FirstOrDefault(output => !Tensors.ContainsKey(output)) is { } missing)
        {
            throw new ArgumentException($"The network's output '{missing}' is produced by no node.");
        }

        Layers = [.. Nodes.Select(node => new LayerInfo(this, node))];
    }

    public ImmutableArray<TensorInfo> Inputs => _parts.Inputs;

    /// <summary>Names of the tensors it computes.</summary>
    public ImmutableArray<string> Outputs => _parts.Outputs;

    /// <summary>In an order in which each comes after all that it reads.</summary>
    public ImmutableArray<Node> Nodes => _parts.Nodes;

    /// <summary>The parameters that it reads, without values.</summary>
    public ImmutableArray<Parameter> Parameters => _parts.Parameters;

    public ImmutableArray<Constant> Constants => _parts.Constants;

    /// <summary>Open sizes that shapes and attributes name.</summary>
    public Symbols Symbols => _parts.Symbols;

    /// <summary>The file's model, weights taken out; null for a network that was built.</summary>
    public ModelProto? Model => _parts.Model;

    /// <summary>Version of the standard that the file is written for; the newest for a network that was built.</summary>
    public long Opset => _parts.Opset;

    /// <summary>Where in <see cref="Model"/> changed values of parameters can be put back.</summary>
    public ImmutableDictionary<string, WeightSource> Sources => _parts.Sources;

    /// <summary>Texts that files carry beside the network.</summary>
    public ImmutableSortedDictionary<string, string> Metadata => _parts.Metadata;

    /// <summary>Name and shape of every tensor between the operators, by name.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The operators with what they own and cost.</summary>
    public ImmutableArray<LayerInfo> Layers { get; }

    /// <summary>The names of its parameters.</summary>
    public IEnumerable<string> ParameterNames => _places.Keys;

    /// <summary>The parts of a network with these weights.</summary>
    /// <param name="parameters">The parameters with their values, in the order of the graph's.</param>
    /// <param name="asRead">Whether it can be written as it was read.</param>
    public NetworkParts With(ImmutableArray<Parameter> parameters, bool asRead) => _parts with { Parameters = parameters, AsRead = asRead };

    /// <summary>Whether these are its parameters but for their values.</summary>
    public bool Holds(ImmutableArray<Parameter> parameters)
        => parameters.Length == Parameters.Length && parameters.Zip(Parameters).All(pair => pair.First.IsLike(pair.Second));

    /// <summary>The place of a parameter among <see cref="Parameters"/>; null where there is none of that name.</summary>
    public int? Place(string parameter) => _places.TryGetValue(parameter, out var place) ? place : null;

    /// <summary>A parameter without its values; null for none.</summary>
    public Parameter? Parameter(string name) => Place(name) is { } place ? Parameters[place] : null;

    public Constant? Constant(string name) => _constants.GetValueOrDefault(name);

    /// <summary>Shape and type of whatever has that name: a tensor, a parameter or a constant; null for none.</summary>
    public TensorInfo? Find(string name) => Parameter(name) is { } parameter ? new(name, parameter.Shape) { Type = parameter.Type }
        : Constant(name) is { } constant ? new(name, constant.Shape) { Type = constant.Type }
        : Tensors.GetValueOrDefault(name);

    /// <summary>The node that gives a tensor; null for inputs, parameters and constants.</summary>
    public Node? Producer(string name) => _producers.Value.GetValueOrDefault(name);

    /// <summary>The nodes that read whatever has that name, each once, in order; those too whose branches or bodies do.</summary>
    public IEnumerable<Node> Consumers(string name) => _consumers.Value[name];

    /// <summary>What the layers above derive from the graph: computed when it is first requested, and kept as long as the graph.</summary>
    /// <param name="key">Tells it from all else that is kept, by value; with all that it depends on besides the graph.</param>
    /// <param name="derive">Computes it. May be called on any thread, but once.</param>
    public T Once<T>(object key, Func<T> derive) where T : notnull => (T)_derived.GetOrAdd(key, _ => new(() => derive())).Value;
}
