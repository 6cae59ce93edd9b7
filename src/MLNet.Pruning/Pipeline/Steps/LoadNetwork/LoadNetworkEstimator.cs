using MLNet.Pruning.Data;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>
/// Brings a network that is trained already into a chain, where it is scored, evaluated, pruned and fine-tuned like one that a trainer
/// of the chain fitted. Its Fit trains nothing: it looks at columns only.
/// <list type="table">
/// <item><term>Task</term><description>multiclass classification, binary classification or regression; by default what the label column's type
/// says</description></item>
/// <item><term>Inputs</term><description>one column an input: known-size vectors or single values of <see cref="float"/>; integers or keys for token
/// ids</description></item>
/// <item><term>Label</term><description>a key, a <see cref="bool"/> or a <see cref="float"/>; needed by steps that train or measure, not for
/// scoring</description></item>
/// </list>
/// </summary>
public sealed class LoadNetworkEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly LoadNetworkOptions _options;
    private readonly Network _network;
    private readonly string[] _inputs;
    private readonly int _seed;

    internal LoadNetworkEstimator(IHostEnvironment environment, LoadNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _network = options.Network.WithOutputs(options.OutputName ?? options.Network.Output.Name);
        if (!_network.IsInitialized)
        {
            throw new ArgumentException("The network has parameters without values: call Network.Initialize(seed), or train it with "
                + "ml.MulticlassClassification.Trainers.NeuralNetwork and the like.", nameof(LoadNetworkOptions.Network));
        }

        _inputs = options.InputColumnNames is { Count: > 0 } names ? [.. names] : [.. _network.Inputs.Select(input => input.Name)];
        NetworkInputs.CheckCount(_network, _inputs);
        _seed = options.Seed ?? environment.Register("MLNet.Pruning.LoadNetwork").Rand.Next();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type or size than the network reads.</exception>
    /// <exception cref="ArgumentException">The task is neither given nor told by a label column, or the network's outputs do not fit it.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var schema = input.Schema;
        var names = Names(name => schema.GetColumnOrNull(name) is not null);
        var label = _options.LabelColumnName is { } name ? schema.GetColumnOrNull(name) : null;
        var task = Task(label?.Type);
        var closed = Close(schema, names);
        var inputs = NetworkInputs.Of(schema, closed, names, _options.ImageLayout);
        var network = ScoreOutput.Fit(closed, task);
        var keys = task.HasOutputPerClass && label is { Type: KeyDataViewType key } ? CheckedKeys(label.Value, key, network) : null;
        return new(new NetworkState
        {
            Network = network,
            Task = task,
            Inputs = inputs,
            Label = _options.LabelColumnName ?? "Label",
            Keys = keys,
            Initial = network,
            Early = null,
            Training = _options.ForTraining(network, names[0]),
            SplitSeed = _seed,
        }, schema, report: null);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var columns = inputSchema.ToDictionary(column => column.Name);
        foreach (var name in Names(columns.ContainsKey))
        {
            if (!columns.ContainsKey(name))
            {
                throw new ArgumentOutOfRangeException(nameof(inputSchema), name,
                    $"Could not find the feature column '{name}'. The data has: {string.Join(", ", columns.Keys)}.");
            }
        }

        if (_options.LabelColumnName is not { } label || !columns.TryGetValue(label, out var found))
        {
            return SchemaShapes.WithScores(inputSchema, Task(null), null);
        }

        var type = found.Kind == SchemaShape.Column.VectorKind.Scalar ? found.IsKey ? new KeyDataViewType(typeof(uint), int.MaxValue) : found.ItemType : null;
        return SchemaShapes.WithScores(inputSchema, Task(type), found.Annotations.FirstOrDefault(annotation => annotation.Name == "KeyValues").ItemType);
    }

    /// <summary>The columns given; by default those named as the inputs, or Features for a single input.</summary>
    private string[] Names(Func<string, bool> exists)
        => _options.InputColumnNames is not { Count: > 0 } && _inputs is [var only] && !exists(only) ? ["Features"] : _inputs;

    private LearningTask Task(DataViewType? label)
    {
        var task = _options.Task ?? TaskOf(label);
        Metric.Resolve(_options.Training?.Metric, task);
        return task;
    }

    private LearningTask TaskOf(DataViewType? label) => label is null
        ? throw new ArgumentException($"LoadNetwork cannot tell the task: the data has no label column '{_options.LabelColumnName}', and no task was given. "
            + "Name the label column, or set the task.")
        : TaskLabels.Of(label) ?? throw new ArgumentException($"LoadNetwork cannot tell the task from the label column '{_options.LabelColumnName}' of type "
            + $"{label}: a key says "
            + "multiclass, Boolean binary, Single regression. Append ml.Transforms.Conversion.MapValueToKey before, or set the task.");

    private static LabelKeys? CheckedKeys(DataViewSchema.Column label, KeyDataViewType type, Network network) => type.Count == (ulong)network.Output.RowSize
        ? LabelKeys.Of(label)
        : throw NetworkInputs.Mismatch(label.Name, "label",
            $"a key of {network.Output.RowSize} values, as many as the network's output '{network.Output.Name}' has", label.Type.ToString());

    /// <summary>The network with sizes that it leaves open, other than the batch, as the columns have them.</summary>
    private Network Close(DataViewSchema schema, string[] names)
    {
        var sizes = new Dictionary<string, int>();
        for (var i = 0; i < names.Length; i++)
        {
            var input = _network.Inputs[i];
            if (!input.IsKnown)
            {
                throw new NotSupportedException($"The network's input '{input.Name}' is of unknown shape: it cannot be read from a column.");
            }

            var open = input.Shape.Skip(1).Where(size => size < 0).ToArray();
            if (open.Length == 0)
            {
                continue;
            }

            var column = NetworkInputs.Find(schema, names[i]);
            var size = new InputColumn(column.Name, column.Type).Size;
            var known = input.Shape.Skip(1).Where(other => other >= 0).Aggregate(1, (product, other) => product * other);
            if (open.Length > 1 || size is null || size % known != 0)
            {
                throw NetworkInputs.Mismatch(column.Name, "feature", $"a known-size vector that tells the open size of '{input}'",
                    new InputColumn(column.Name, column.Type).ToString());
            }

            sizes[_network.Graph.Symbols.Name(open[0])] = size.Value / known;
        }

        return sizes.Count == 0 ? _network : _network.WithSizes(sizes);
    }
}
