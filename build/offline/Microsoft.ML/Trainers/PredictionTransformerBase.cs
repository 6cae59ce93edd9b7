using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

public abstract class PredictionTransformerBase<TModel> : IPredictionTransformer<TModel>, IDisposable
    where TModel : class
{
    private protected readonly IHost Host;

    private protected PredictionTransformerBase(IHost host, TModel model)
    {
        Host = host;
        Model = model ?? throw new ArgumentNullException(nameof(model));
    }

    public TModel Model { get; }

    bool ITransformer.IsRowToRowMapper => true;

    public abstract DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, MapRows(input.Schema));
    }

    public void Dispose() => (Model as IDisposable)?.Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => MapRows(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => SaveModel(ctx);

    private protected MappedRows MapRows(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRows(MakeRowMapper(inputSchema));
    }

    private protected abstract RowMapper MakeRowMapper(DataViewSchema schema);

    private protected abstract void SaveModel(ModelSaveContext ctx);
}

public abstract class SingleFeaturePredictionTransformerBase<TModel> : PredictionTransformerBase<TModel>, ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private protected SingleFeaturePredictionTransformerBase(IHost host, TModel model, DataViewSchema trainSchema, string featureColumn)
        : base(host, model)
    {
        FeatureColumnName = featureColumn;
        FeatureColumnType = trainSchema[featureColumn].Type;
    }

    private protected SingleFeaturePredictionTransformerBase(IHost host, TModel model, ModelLoadContext ctx)
        : base(host, model)
    {
        FeatureColumnName = ctx.Reader.ReadString();
        FeatureColumnType = DataViewTypeCodec.Read(ctx.Reader);
    }

    public string FeatureColumnName { get; }

    public DataViewType FeatureColumnType { get; }

    public sealed override DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => MapRows(inputSchema).OutputSchema;

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.SaveModel(
            Model as ICanSaveModel ?? throw new NotSupportedException($"A model of type {Model.GetType()} cannot be saved"),
            PredictionTransformerLoader.ModelDirectory);
        ctx.Writer.Write(FeatureColumnName);
        DataViewTypeCodec.Write(ctx.Writer, FeatureColumnType);
    }

    private protected abstract string Signature { get; }
}

/// <summary>Loads the model, whose type says what type of transformer to make.</summary>
internal static class PredictionTransformerLoader
{
    public const string ModelDirectory = "Model";

    public static object Create(Type transformer, IHostEnvironment env, ModelLoadContext ctx)
    {
        object model = ctx.LoadModel<object>(env, ModelDirectory);
        // A calibrated model is known by its public base, like one that a trainer returns.
        var type = model is Calibrators.CalibratedModelParametersBase ? model.GetType().BaseType! : model.GetType();
        var constructor = transformer.MakeGenericType(type).GetConstructor(
            System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic,
            [typeof(IHostEnvironment), type, typeof(ModelLoadContext)])!;
        return constructor.Invoke(System.Reflection.BindingFlags.DoNotWrapExceptions, null, [env, model, ctx], null);
    }
}
