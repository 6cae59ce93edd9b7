using System.Collections.Frozen;
using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>
/// A neural network: a graph of ONNX operators over named parameters. Immutable; every step that changes a network
/// returns another one and shares the parameters that did not change.
/// </summary>
public sealed class Network
{
    private readonly FrozenDictionary<string, Parameter> _byName;

    internal Network(TensorInfo input, string output, IEnumerable<Node> nodes, IEnumerable<Parameter> parameters)
    {
        Input = input;
        Nodes = [.. nodes];
        Parameters = [.. parameters];
        _byName = Parameters.ToFrozenDictionary(parameter => parameter.Name);
        Tensors = ShapeInference.Run(this);
        Output = Tensors[output];
        Layers = [.. Nodes.Select(node => new LayerInfo(this, node))];
    }

    /// <summary>What the network reads: a batch of rows of <see cref="TensorInfo.RowSize"/> values.</summary>
    public TensorInfo Input { get; }

    /// <summary>What the network computes, before the task's own last step (softmax, sigmoid) unless the graph holds it.</summary>
    public TensorInfo Output { get; }

    /// <summary>The operators in an order in which each comes after all that it reads.</summary>
    public ImmutableArray<Node> Nodes { get; }

    /// <summary>Weights, biases and running statistics, in the order of the layers that own them.</summary>
    public ImmutableArray<Parameter> Parameters { get; }

    /// <summary>Whether every parameter has values.</summary>
    public bool IsInitialized => Parameters.All(parameter => parameter.IsInitialized);

    /// <summary>Number of values in all parameters, running statistics of batch normalisation not counted.</summary>
    public long ParameterCount => Parameters.Where(parameter => parameter.Trainable).Sum(parameter => (long)parameter.Count);

    /// <summary>Name and shape of every tensor between the operators, by name.</summary>
    internal FrozenDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The operators with what they own and cost.</summary>
    internal ImmutableArray<LayerInfo> Layers { get; }

    /// <summary>The parameter of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the message names the nearest ones.</exception>
    public Parameter this[string parameter] => _byName.TryGetValue(parameter, out var found) ? found
        : throw new ArgumentException($"The network has no parameter '{parameter}'.{NearestNames.Suggest(parameter, _byName.Keys)}", nameof(parameter));

    /// <summary>
    /// A multilayer perceptron: dense layers <c>fc1</c>, <c>fc2</c>, ... with rectified linear units between them.
    /// </summary>
    /// <param name="inputs">Values in a row.</param>
    /// <param name="units">Units of each hidden layer in turn, then the number of outputs: classes of a multiclass task, else 1.</param>
    /// <returns>The network without values; they are drawn when it is trained.</returns>
    /// <exception cref="ArgumentException">No outputs given, or a size below 1.</exception>
    /// <example><c>Network.Mlp(784, 300, 100, 10)</c> is LeNet-300-100.</example>
    public static Network Mlp(int inputs, params ReadOnlySpan<int> units)
    {
        if (units.IsEmpty)
        {
            throw new ArgumentException("Network.Mlp needs the number of outputs after the number of inputs.", nameof(units));
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
        foreach (var layer in layers)
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
    public override string ToString() => NetworkTable.Format(this);

    internal Network WithParameters(IEnumerable<Parameter> changed)
    {
        var others = changed.ToDictionary(parameter => parameter.Name);
        return others.Count == 0 ? this
            : new Network(Input, Output.Name, Nodes, Parameters.Select(parameter => others.GetValueOrDefault(parameter.Name, parameter)));
    }

    internal bool TryGetParameter(string name, out Parameter parameter) => _byName.TryGetValue(name, out parameter!);
}
