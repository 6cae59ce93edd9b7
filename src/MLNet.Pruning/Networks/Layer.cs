using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning;

/// <summary>One layer for <see cref="Network.Sequential"/>. Sizes of inputs follow from the layer before.</summary>
/// <remarks>Every layer takes a name; without one it is its kind and number: <c>fc1</c>, <c>conv2</c>.</remarks>
public sealed class Layer
{
    private readonly Action<GraphBuilder> _build;

    private Layer(Action<GraphBuilder> build) => _build = build;

    /// <summary>A dense (fully connected) layer; parameters <c>weight</c> (units x inputs) and <c>bias</c> (units).</summary>
    /// <param name="units">Number of outputs, at least 1.</param>
    /// <param name="bias">Whether it adds a bias.</param>
    /// <param name="name">The layer's name.</param>
    public static Layer Dense(int units, bool bias = true, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1);
        Setting.NamedIfGiven(name, nameof(name));
        return new(graph =>
        {
            var layer = graph.Name("fc", name);
            if (graph.Shape.Length != 2)
            {
                throw new ArgumentException($"Layer '{layer}' (Dense) cannot read a tensor of {TensorInfo.Dimensions(graph.Shape)}: it expects rows of "
                    + "values; put Layer.Flatten() before it.");
            }

            var inputs = graph.Shape[1];
            var draw = Initializer.KaimingUniform(inputs);
            var parameters = new List<string> { graph.Parameter(layer + ".weight", [units, inputs], draw) };
            if (bias)
            {
                parameters.Add(graph.Parameter(layer + ".bias", [units], draw));
            }

            graph.Append(layer, "Gemm", parameters, Attributes(("transB", 1L)));
        });
    }

    /// <summary>A two-dimensional convolution; parameters <c>weight</c> (filters x channels per group x kernel x kernel) and <c>bias</c> (filters).</summary>
    /// <param name="filters">Number of output channels, at least 1.</param>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="stride">Step of the window.</param>
    /// <param name="padding">Zeros added on every side.</param>
    /// <param name="dilation">Distance between the window's elements.</param>
    /// <param name="groups">Groups of channels that do not mix; has to divide the channels and the filters.</param>
    /// <param name="bias">Whether it adds a bias.</param>
    /// <param name="name">The layer's name.</param>
    public static Layer Conv2d(int filters, int kernel, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true,
        string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filters, 1);
        CheckWindow(kernel, stride, padding);
        Setting.NamedIfGiven(name, nameof(name));
        ArgumentOutOfRangeException.ThrowIfLessThan(dilation, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        return Convolution(filters, [kernel, kernel], [.. Window(kernel, stride, padding), ("dilations", new long[] { dilation, dilation })], groups, bias,
            name);
    }

    /// <summary>
    /// Batch normalisation over the channels (Ioffe &amp; Szegedy 2015); parameters <c>weight</c>, <c>bias</c> and the running
    /// statistics <c>mean</c> and <c>variance</c>.
    /// </summary>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="momentum">Share of a batch's statistics in the running ones.</param>
    /// <param name="name">The layer's name.</param>
    public static Layer BatchNorm(double epsilon = 1e-5, double momentum = 0.1, string? name = null)
    {
        epsilon = (float)Setting.Positive(epsilon, nameof(epsilon)) > 0 ? epsilon
            : throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "As a 32-bit float the epsilon is 0.");
        momentum = momentum is >= 0 and <= 1 ? momentum : throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "The momentum lies in [0, 1].");
        Setting.NamedIfGiven(name, nameof(name));
        return new(graph =>
        {
            var layer = graph.Name("bn", name);
            var channels = graph.Shape[1];
            string[] parameters =
            [
                graph.Parameter(layer + ".weight", [channels], Initializer.One),
                graph.Parameter(layer + ".bias", [channels], Initializer.Zero),
                graph.Parameter(layer + ".mean", [channels], Initializer.Zero, trainable: false),
                graph.Parameter(layer + ".variance", [channels], Initializer.One, trainable: false),
            ];
            // ONNX counts the share of the old running value, PyTorch that of the new one.
            graph.Append(layer, "BatchNormalization", parameters, Attributes(("epsilon", (float)epsilon), ("momentum", (float)(1 - momentum))));
        });
    }

    /// <summary>The maximum of each window.</summary>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="stride">Step of the window; 0 takes <paramref name="kernel"/>.</param>
    /// <param name="padding">Border added on every side, at most half the window.</param>
    /// <param name="name">The layer's name.</param>
    public static Layer MaxPool(int kernel, int stride = 0, int padding = 0, string? name = null) => Pool("MaxPool", "maxpool", kernel, stride, padding, name);

    /// <summary>The mean of each window, added zeros included.</summary>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="stride">Step of the window; 0 takes <paramref name="kernel"/>.</param>
    /// <param name="padding">Zeros added on every side, at most half the window.</param>
    /// <param name="name">The layer's name.</param>
    public static Layer AveragePool(int kernel, int stride = 0, int padding = 0, string? name = null)
        => Pool("AveragePool", "avgpool", kernel, stride, padding, name, ("count_include_pad", 1L));

    /// <summary>The mean of each channel over all positions.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer GlobalAveragePool(string? name = null) => Simple("GlobalAveragePool", "globalpool", name);

    /// <summary>All values of a row in one dimension.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Flatten(string? name = null) => Simple("Flatten", "flatten", name, ("axis", 1L));

    /// <summary>In training, zeroes a share of the values at random and scales up the others (Srivastava et al. 2014).</summary>
    /// <param name="rate">The share, in [0, 1).</param>
    /// <param name="name">The layer's name.</param>
    public static Layer Dropout(double rate = 0.5, string? name = null)
    {
        return !(rate is >= 0 and < 1) ? throw new ArgumentOutOfRangeException(nameof(rate), rate, "The share of values that are zeroed lies in [0, 1).")
            : Simple("Dropout", "dropout", name, ("ratio", (float)rate));
    }

    /// <summary>A residual block: x + f(x), where f is layers one after another that give the shape they read (He et al. 2016).</summary>
    /// <param name="layers">The layers of f, at least one.</param>
    /// <exception cref="ArgumentException">No layers are given.</exception>
    public static Layer Residual(params Layer[] layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Setting.Complete(layers);
        if (layers.Length == 0)
        {
            throw new ArgumentException("A residual block needs at least one layer.", nameof(layers));
        }

        return new(graph =>
        {
            var (input, shape) = (graph.Last, graph.Shape);
            foreach (var layer in layers)
            {
                layer.Build(graph);
            }

            var name = graph.Name("add", null);
            graph.Append(name, "Add", data: graph.Shape.SequenceEqual(shape) ? [input, graph.Last]
                : throw new ArgumentException($"Layer '{name}' (Residual) cannot add {TensorInfo.Dimensions(graph.Shape)} to {TensorInfo.Dimensions(shape)}: "
                    + "its layers have to give the shape they read."));
        });
    }

    /// <summary>max(0, x).</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Relu(string? name = null) => Simple("Relu", "relu", name);

    /// <summary>x where positive, else x times the slope.</summary>
    /// <param name="slope">Slope of the negative side.</param>
    /// <param name="name">The layer's name.</param>
    /// <exception cref="ArgumentOutOfRangeException">The slope is not a finite 32-bit float.</exception>
    public static Layer LeakyRelu(double slope = 0.01, string? name = null)
        => float.IsFinite((float)slope) ? Simple("LeakyRelu", "leakyrelu", name, ("alpha", (float)slope))
        : throw new ArgumentOutOfRangeException(nameof(slope), slope, "The slope is a finite number that a 32-bit float can hold.");

    /// <summary>x times the normal distribution function of x (Hendrycks &amp; Gimpel 2016), exact, not the tanh approximation.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Gelu(string? name = null) => Gelu(approximate: false, name);

    /// <summary>x times the sigmoid of x, also known as swish.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Silu(string? name = null)
    {
        Setting.NamedIfGiven(name, nameof(name));
        return new(graph =>
        {
            var layer = graph.Name("silu", name);
            var input = graph.Last;
            graph.Append(layer + ".sigmoid", "Sigmoid");
            graph.Append(layer, "Mul", data: [input, graph.Last]);
        });
    }

    /// <summary>The hyperbolic tangent.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Tanh(string? name = null) => Simple("Tanh", "tanh", name);

    /// <summary>The logistic function. As the last layer of a binary task it marks the output as a probability.</summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Sigmoid(string? name = null) => Simple("Sigmoid", "sigmoid", name);

    /// <summary>
    /// Softmax over the outputs, as the last layer of a multiclass task. Without it the task adds its own; training works
    /// on the logits either way.
    /// </summary>
    /// <param name="name">The layer's name.</param>
    public static Layer Softmax(string? name = null) => Simple("Softmax", "softmax", name, ("axis", 1L));

    /// <summary>A convolution whose window may differ in height and width.</summary>
    /// <param name="filters">Number of output channels.</param>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="window">The window as attributes of the operator.</param>
    /// <param name="groups">Groups of channels that do not mix.</param>
    /// <param name="bias">Whether it adds a bias.</param>
    /// <param name="name">The layer's name.</param>
    internal static Layer Convolution(int filters, long[] kernel, (string, object)[] window, int groups, bool bias, string? name) => new(graph =>
    {
        var layer = graph.Name("conv", name);
        var channels = Channels(graph, layer, "Conv2d");
        if (channels % groups != 0 || filters % groups != 0)
        {
            throw new ArgumentException($"Layer '{layer}' (Conv2d) has {groups} groups, which do not divide its {channels} channels and {filters} filters.");
        }

        var draw = Initializer.KaimingUniform(checked((int)(channels / groups * kernel[0] * kernel[1])));
        var parameters = new List<string> { graph.Parameter(layer + ".weight", [filters, channels / groups, (int)kernel[0], (int)kernel[1]], draw) };
        if (bias)
        {
            parameters.Add(graph.Parameter(layer + ".bias", [filters], draw));
        }

        graph.Append(layer, "Conv", parameters, Attributes([.. window, ("group", (long)groups)]));
    });

    /// <summary>Pooling whose window, given as attributes of the operator, may differ in height and width.</summary>
    internal static Layer Pool(string @operator, string kind, (string, object)[] window, string? name) => new(graph =>
    {
        var layer = graph.Name(kind, name);
        Channels(graph, layer, @operator);
        graph.Append(layer, @operator, attributes: Attributes(window));
    });

    /// <summary><see cref="Gelu(string?)"/> or its approximation by tanh.</summary>
    internal static Layer Gelu(bool approximate, string? name)
        => approximate ? Simple("Gelu", "gelu", name, ("approximate", "tanh")) : Simple("Gelu", "gelu", name);

    internal void Build(GraphBuilder graph) => _build(graph);

    private static Layer Simple(string @operator, string kind, string? name, params (string, object)[] attributes)
    {
        Setting.NamedIfGiven(name, nameof(name));
        return new(graph => graph.Append(graph.Name(kind, name), @operator, attributes: Attributes(attributes)));
    }

    private static Layer Pool(string @operator, string kind, int kernel, int stride, int padding, string? name, params (string, object)[] attributes)
    {
        Setting.NamedIfGiven(name, nameof(name));
        stride = stride == 0 ? kernel : stride;
        CheckWindow(kernel, stride, padding);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(padding, kernel / 2);
        return Pool(@operator, kind, [.. Window(kernel, stride, padding), .. attributes], name);
    }

    private static int Channels(GraphBuilder graph, string layer, string kind) => graph.Shape.Length == 4 ? graph.Shape[1]
        : throw new ArgumentException($"Layer '{layer}' ({kind}) cannot read a tensor of {TensorInfo.Dimensions(graph.Shape)}: it expects channels x height x "
            + "width in a row.");

    private static void CheckWindow(int kernel, int stride, int padding)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kernel, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
    }

    private static (string, object)[] Window(int kernel, int stride, int padding) =>
    [
        ("kernel_shape", new long[] { kernel, kernel }),
        ("strides", new long[] { stride, stride }),
        ("pads", new long[] { padding, padding, padding, padding }),
    ];

    private static KeyValuePair<string, object>[] Attributes(params (string Name, object Value)[] attributes)
        => [.. attributes.Select(attribute => KeyValuePair.Create(attribute.Name, attribute.Value))];
}
