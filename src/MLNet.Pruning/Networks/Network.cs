using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning;

/// <summary>
/// A neural network: a graph of ONNX operators over named parameters. Immutable; every step that changes a network
/// returns another one and shares the parameters that did not change.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed partial class Network : IHtmlDisplay
{
    /// <exception cref="ArgumentException">A node does not fit what it reads, or a name is missing or occurs twice.</exception>
    internal Network(NetworkParts parts) : this(new NetworkGraph(parts), parts.Parameters, parts.AsRead)
    {
    }

    private Network(NetworkGraph graph, ImmutableArray<Parameter> parameters, bool asRead)
        => (Graph, Parameters, AsRead, Outputs) = (graph, parameters, asRead, [.. graph.Outputs.Select(output => graph.Tensors[output])]);

    internal Network(TensorInfo input, string output, IEnumerable<Node> nodes, IEnumerable<Parameter> parameters)
        : this(new NetworkParts { Inputs = [input], Outputs = [output], Nodes = [.. nodes], Parameters = [.. parameters] })
    {
    }

    /// <summary>What the network reads: batches of rows.</summary>
    public ImmutableArray<TensorInfo> Inputs => Graph.Inputs;

    /// <summary>What the network computes.</summary>
    public ImmutableArray<TensorInfo> Outputs { get; }

    /// <summary>The first of what it reads: a batch of rows of <see cref="TensorInfo.RowSize"/> values.</summary>
    public TensorInfo Input => Inputs[0];

    /// <summary>The first of what the network computes, before the task's own last step (softmax, sigmoid) unless the graph holds it.</summary>
    public TensorInfo Output => Outputs[0];

    /// <summary>The operators in an order in which each comes after all that it reads.</summary>
    public ImmutableArray<Node> Nodes => Graph.Nodes;

    /// <summary>Weights, biases and running statistics, in the order of the layers that own them.</summary>
    public ImmutableArray<Parameter> Parameters { get; }

    /// <summary>Whether every parameter has values.</summary>
    public bool IsInitialized => Parameters.All(parameter => parameter.IsInitialized);

    /// <summary>Number of values in all parameters, running statistics of batch normalisation not counted.</summary>
    public long ParameterCount => Parameters.Where(parameter => parameter.Trainable).Sum(parameter => (long)parameter.Count);

    /// <summary>All of it but the values of its parameters.</summary>
    internal NetworkGraph Graph { get; }

    /// <summary>Whether the nodes are still those of the file that it came from, so that it can be written back as it was read.</summary>
    internal bool AsRead { get; }

    /// <summary>What it is made of, to make another one of.</summary>
    internal NetworkParts Parts => Graph.With(Parameters, AsRead);

    /// <summary>Values in a row of all inputs, one after another.</summary>
    internal int RowSize => checked((int)Inputs.Sum(input => (long)input.RowSize));

    /// <summary>Name and shape of every tensor between the operators, by name.</summary>
    internal IReadOnlyDictionary<string, TensorInfo> Tensors => Graph.Tensors;

    /// <summary>The operators with what they own and cost.</summary>
    internal ImmutableArray<LayerInfo> Layers => Graph.Layers;

    /// <summary>The parameter of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the message names the nearest ones.</exception>
    public Parameter this[string parameter] => Parameter(Setting.Present(parameter, nameof(parameter)))
        ?? throw new ArgumentException($"The network has no parameter '{parameter}'.{NearestNames.Suggest(parameter, Graph.ParameterNames)}",
            nameof(parameter));

    /// <summary>
    /// A multilayer perceptron: dense layers <c>fc1</c>, <c>fc2</c>, ... with rectified linear units between them.
    /// </summary>
    /// <param name="inputs">Values in a row.</param>
    /// <param name="units">Units of each hidden layer in turn, then the number of outputs: classes of a multiclass task, else 1.</param>
    /// <returns>The network without values; they are drawn when it is trained.</returns>
    /// <exception cref="ArgumentException">No outputs given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or a layer would have more weights than an array holds.</exception>
    /// <example><c>Network.Mlp(784, 300, 100, 10)</c> is LeNet-300-100.</example>
    public static Network Mlp(int inputs, params ReadOnlySpan<int> units)
    {
        if (units.IsEmpty)
        {
            throw new ArgumentException("Network.Mlp needs the number of outputs after the number of inputs.", nameof(units));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        for (var (i, before) = (0, inputs); i < units.Length; before = units[i++])
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(units[i], 1, nameof(units));
            if ((long)before * units[i] > Array.MaxLength)
            {
                throw new ArgumentOutOfRangeException(i == 0 && before > units[i] ? nameof(inputs) : nameof(units),
                    $"A layer of {units[i]} units over {before} would have {(long)before * units[i]:N0} weights; an array holds at most {Array.MaxLength:N0}.");
            }
        }

        var layers = new List<Layer>();
        foreach (var size in units)
        {
            if (layers.Count > 0)
            {
                layers.Add(Layer.Relu());
            }

            layers.Add(Layer.Dense(size));
        }

        return Sequential([inputs], [.. layers]);
    }

    /// <summary>Layers one after another.</summary>
    /// <param name="inputShape">Shape of one row: <c>[features]</c>, or <c>[channels, height, width]</c> for images.</param>
    /// <param name="layers">The layers, the last of which gives the outputs: logits, or a softmax or sigmoid over them.</param>
    /// <returns>The network without values; they are drawn when it is trained.</returns>
    /// <exception cref="ArgumentException">A layer does not fit the shape before it, or a name occurs twice.</exception>
    public static Network Sequential(ReadOnlySpan<int> inputShape, params ReadOnlySpan<Layer> layers)
    {
        var builder = new GraphBuilder(inputShape);
        foreach (var layer in Setting.Complete(layers.ToArray(), nameof(layers)))
        {
            layer.Build(builder);
        }

        return builder.ToNetwork();
    }

    /// <summary>The network with values drawn for every parameter that has none.</summary>
    /// <param name="seed">Same seed, same values.</param>
    public Network Initialize(int seed)
    {
        var random = new Random(seed);
        return WithParameters(Parameters.Where(parameter => !parameter.IsInitialized)
            .Select(parameter => parameter.WithValues(parameter.Initializer.Draw(parameter.Count, random))));
    }

    /// <summary>The network with other values for one parameter.</summary>
    /// <param name="parameter">Its name.</param>
    /// <param name="values">As many values as it has, in row-major order; copied.</param>
    /// <exception cref="ArgumentException">No such parameter, or another number of values.</exception>
    public Network With(string parameter, ReadOnlySpan<float> values) => WithParameters([this[parameter].WithValues(values.ToArray())]);

    /// <summary>A table of the layers with their output shapes, parameters and multiply-adds.</summary>
    public override string ToString() => NetworkTable.Of(this).ToString();

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [NetworkTable.Of(this)];

    /// <summary>The network with others in the place of some of its parameters; of the same graph where they differ in values alone.</summary>
    internal Network WithParameters(IEnumerable<Parameter> changed)
    {
        var others = changed.ToDictionary(parameter => parameter.Name);
        if (others.Count == 0)
        {
            return this;
        }

        var asRead = AsRead && others.Keys.All(Graph.Sources.ContainsKey);
        ImmutableArray<Parameter> parameters = [.. Parameters.Select(parameter => others.GetValueOrDefault(parameter.Name, parameter))];
        return Graph.Holds(parameters) ? new(Graph, parameters, asRead) : new(Graph.With(parameters, asRead));
    }

    /// <summary>Another network on this one's graph, where its parameters are like these: for one that was written and read by itself.</summary>
    internal Network Shared(Network other) => Graph.Holds(other.Parameters) ? new(Graph, other.Parameters, AsRead) : other;

    /// <summary>The network with one of its outputs, and what that needs.</summary>
    /// <exception cref="ArgumentException">There is no such output; the message names those there are.</exception>
    internal Network WithOutputs(string output)
    {
        if (Outputs is [var only] && only.Name == output)
        {
            return this;
        }

        if (Outputs.All(other => other.Name != output))
        {
            throw new ArgumentException($"The network has no output '{output}'; it has: {string.Join(", ", Outputs)}.", nameof(output));
        }

        return new Network((Parts with { Outputs = [output], AsRead = false }).Needed());
    }

    /// <summary>Multiplications for one row.</summary>
    /// <exception cref="InvalidOperationException">They depend on an open size, or cannot be determined.</exception>
    internal long MultiplyAdds() => Layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAdds) is { Number: var number } count ? number
        ?? throw new InvalidOperationException($"The multiply-adds of the network are {count}: give its open sizes numbers with Network.FromOnnx(path, "
            + "sizes); what counts as ? is not known.") : 0;

    /// <summary>The same graph with parameters that have shapes only: to count what a removal would leave without copying a weight.</summary>
    internal Network WithoutValues() => new(Graph, Graph.Parameters, AsRead);

    /// <summary>Shape and type of whatever has that name: a tensor, a parameter or a constant; null for none.</summary>
    internal TensorInfo? Find(string name) => Graph.Find(name);

    /// <summary>The node that gives a tensor; null for inputs, parameters and constants.</summary>
    internal Node? Producer(string name) => Graph.Producer(name);

    /// <summary>Name of the first output, or of what goes into a softmax or sigmoid that makes it.</summary>
    internal string Logits => Producer(Output.Name) is { Domain: "", Operator: "Softmax" or "LogSoftmax" or "Sigmoid" } last ? last.Inputs[0] : Output.Name;

    /// <summary>The nodes that read whatever has that name, each once, in order; those too whose branches or bodies do.</summary>
    internal IEnumerable<Node> Consumers(string name) => Graph.Consumers(name);

    internal Parameter? Parameter(string name) => Graph.Place(name) is { } place ? Parameters[place] : null;

    internal Constant? Constant(string name) => Graph.Constant(name);

    internal bool TryGetParameter(string name, out Parameter parameter) => (parameter = Parameter(name)!) is not null;
}
