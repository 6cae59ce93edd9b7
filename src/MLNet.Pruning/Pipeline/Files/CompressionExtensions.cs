using MLNet.Pruning;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Columns;

namespace Microsoft.ML;

/// <summary>The catalog of compression in <see cref="MLContext"/>, and fitted models without what later steps superseded.</summary>
public static class CompressionExtensions
{
    /// <summary>Measuring networks, and keeping them in files.</summary>
    /// <param name="context">The context.</param>
    /// <example>
    /// <code>
    /// Console.WriteLine(ml.Compression().Measure(model));
    /// </code>
    /// </example>
    public static CompressionCatalog Compression(this MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }

    /// <summary>
    /// The model without the networks whose columns a later network hides and nothing in between reads: of
    /// train -> prune -> fine-tune the last is left. <c>ml.Model.Save(model.Compact(), schema, path)</c> then writes one network.
    /// A network with many zeros among its weights is timed in ONNX Runtime and in sparse kernels, which takes up to some seconds for a large one, and scored
    /// from then on by what was faster: see <see cref="NeuralNetworkTransformer.Runtime"/>. One whose runtime was chosen before is not timed.
    /// </summary>
    /// <remarks>
    /// What that writes loads with <c>ml.Model.Load</c> wherever ML.NET and its ONNX transformer are, without this package: the network as
    /// an ONNX model, with transformers of ML.NET's own that give the same columns. It scores row by row and cannot be pruned or trained
    /// further; <c>ml.Compression().Save</c> keeps all that. ML.NET truncates an old file before it writes the new one, so that an
    /// interruption leaves neither: save to another path and move the file, or use <c>ml.Compression().Save</c>, which does that itself.
    /// The model that is loaded holds native sessions of ONNX Runtime: dispose it when it is no longer used. A <c>PredictionEngine</c> made of it,
    /// as of any model, is for one thread.
    /// </remarks>
    /// <param name="model">A fitted model; it stays as it is.</param>
    /// <returns>
    /// A chain of the transformers that are left, nested chains laid out flat; the model itself where nothing is superseded. A network
    /// stays where a step before the next network reads one of its columns, such as CopyColumns("DenseScore", "Score"), and where the
    /// last network does not append all the columns it appends.
    /// </returns>
    /// <example>
    /// <code>
    /// ml.Model.Save(model.Compact(), data.Schema, "model.zip");
    /// </code>
    /// </example>
    public static ITransformer Compact(this ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        return Chain(model, steps, [.. steps.Where((step, i) => step is not IScoringStep scoring || !IsSuperseded(scoring, steps[(i + 1)..]))
            .Select(step => step is NeuralNetworkTransformer network ? network.Timed() : step)]);
    }

    /// <summary>
    /// The model with the scores of its networks computed by another runtime, as <see cref="NeuralNetworkTransformer.WithRuntime"/> says; all else, ensembles
    /// of trees among it, stays as it is.
    /// </summary>
    /// <param name="model">A fitted model; it stays as it is.</param>
    /// <param name="runtime">What computes the scores.</param>
    /// <returns>A chain with nested chains laid out flat; a single step by itself.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The runtime is none of the enumeration.</exception>
    /// <exception cref="NotSupportedException">The runtime does not run a network; the message says why.</exception>
    /// <example>
    /// <code>
    /// var scored = model.WithRuntime(ScoringRuntime.Sparse).Transform(test);
    /// </code>
    /// </example>
    public static ITransformer WithRuntime(this ITransformer model, ScoringRuntime runtime)
    {
        ArgumentNullException.ThrowIfNull(model);
        Setting.Defined(runtime, nameof(runtime));
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        return Chain(model, steps, [.. steps.Select(step => step is NeuralNetworkTransformer network ? network.WithRuntime(runtime) : step)]);
    }

    private static ITransformer Chain(ITransformer model, ITransformer[] before, ITransformer[] steps)
        => steps.SequenceEqual(before) ? model : steps is [var only] ? only : new TransformerChain<ITransformer>(steps);

    private static bool IsSuperseded(IScoringStep network, ITransformer[] later)
    {
        var next = Array.FindIndex(later, step => step is IScoringStep);
        if (next < 0 || !later.OfType<IScoringStep>().Any(other => !Appended(network).Except(Appended(other)).Any()))
        {
            return false;
        }

        // Columns that depend on the network's, on the way to the one that hides them.
        var schema = network.GetOutputSchema(network.InputSchema);
        var own = schema.Skip(network.InputSchema.Count).Select(column => column.Index).ToHashSet();
        foreach (var step in later[..next])
        {
            if (!step.IsRowToRowMapper)
            {
                return false;
            }

            var mapper = step.GetRowToRowMapper(schema);
            var before = schema;
            schema = mapper.OutputSchema;
            if (mapper.GetDependencies(schema.Where(column => !IsPassed(column, before))).Any(column => own.Contains(column.Index)))
            {
                return false;
            }

            own = [.. schema.Where(column => own.Any(index => IsSame(column, before[index]))).Select(column => column.Index)];
        }

        var reader = (IScoringStep)later[next];
        return !reader.Bind(schema).Any(column => own.Contains(column.Index));
    }

    /// <summary>Names of the columns that a step appends.</summary>
    private static IEnumerable<string> Appended(IScoringStep step)
        => step.GetOutputSchema(step.InputSchema).Skip(step.InputSchema.Count).Select(column => column.Name);

    private static bool IsPassed(DataViewSchema.Column column, DataViewSchema before) => before.Any(other => IsSame(column, other));

    /// <summary>Whether a step passed the column on: its annotations are then the very same.</summary>
    private static bool IsSame(DataViewSchema.Column column, DataViewSchema.Column other)
        => column.Name == other.Name && column.Type.Equals(other.Type) && ReferenceEquals(column.Annotations, other.Annotations);
}
