using MLNet.Pruning.Data;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>
/// Trains a student on the labels and on what a teacher says of the same rows: the model before it in the chain, or one of your own. The task is that of the
/// label: a key, a <see cref="bool"/> or a <see cref="float"/>. After a network, rows that it was not trained on are not trained on either.
/// </summary>
public sealed class DistillEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly NeuralNetworkOptions _options;
    private readonly Func<Network, Network>? _student;

    internal DistillEstimator(IHostEnvironment environment, NeuralNetworkOptions options, Func<Network, Network>? student)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (student is null)
        {
            options.Validate();
        }

        (_environment, _student) = (environment, student);
        _options = options with { Distillation = options.Distillation ?? Distillation.Response() };
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">There is no teacher, or none with a network where the student is to be made of it.</exception>
    /// <exception cref="ArgumentException">
    /// The teacher and the student do not have the same outputs, or not the tensors that the distillation names.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var before = NetworkState.Find(input.Schema);
        var options = _options;
        if (_student is not null)
        {
            options = options with { Network = _student((_options.Distillation!.Teacher ?? Teacher.Columns()).NetworkFor(input.Schema)
                ?? throw new InvalidOperationException(
                "The student is to be made of the teacher's network, but the teacher is none: give the student itself, or put a network before this step.")) };
        }

        if (before is not null)
        {
            options = options with { ValidationFraction = before.Training.ValidationFraction };
        }

        var type = NetworkInputs.Find(input.Schema, options.LabelColumnName, "label").Type;
        return new NeuralNetworkTrainer(_environment, Task(options.LabelColumnName, type is KeyDataViewType, type, before?.Task), options, before?.SplitSeed)
            .Fit(input);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var label = NeuralNetworkTrainer.Find(inputSchema, _options.LabelColumnName, "label");
        return NeuralNetworkTrainer.OutputSchema(inputSchema, Task(label.Name, label.IsKey, label.ItemType, null), _options);
    }

    private static LearningTask Task(string label, bool isKey, DataViewType type, LearningTask? otherwise)
        => TaskLabels.Of(isKey, type) ?? otherwise ?? throw NetworkInputs.Mismatch(label, "label", "a key, Boolean or Single", type.ToString());
}
