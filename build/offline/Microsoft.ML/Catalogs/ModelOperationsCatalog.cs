using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed class ModelOperationsCatalog : IInternalCatalog
{
    private const string ModelDirectory = "TransformerChain";
    private const string SchemaEntry = "Schema";

    private readonly IHostEnvironment _env;

    internal ModelOperationsCatalog(IHostEnvironment env) => _env = env;

    IHostEnvironment IInternalCatalog.Environment => _env;

    public void Save(ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ModelSaveContext.WriteZip(EntriesOf(model, inputSchema), stream);
    }

    public void Save(ITransformer model, DataViewSchema inputSchema, string filePath)
    {
        Contracts.CheckNonEmpty(filePath);
        using FileStream stream = File.Create(filePath);
        Save(model, inputSchema, stream);
    }

    public ITransformer Load(Stream stream, out DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(stream);
        IReadOnlyDictionary<string, byte[]> entries = ModelLoadContext.ReadZip(stream);
        inputSchema = entries.TryGetValue(SchemaEntry, out byte[]? schema) ? ReadSchema(schema) : null!;
        return ModelLoadContext.Load<ITransformer>(_env, entries, ModelDirectory);
    }

    public ITransformer Load(string filePath, out DataViewSchema inputSchema)
    {
        Contracts.CheckNonEmpty(filePath);
        using FileStream stream = File.OpenRead(filePath);
        return Load(stream, out inputSchema);
    }

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(
        ITransformer transformer,
        bool ignoreMissingColumns = true,
        SchemaDefinition? inputSchemaDefinition = null,
        SchemaDefinition? outputSchemaDefinition = null)
        where TSrc : class
        where TDst : class, new() =>
        new(
            transformer,
            ignoreMissingColumns,
            InternalSchemaDefinition.Create(typeof(TSrc), SchemaDefinition.Direction.Read, inputSchemaDefinition),
            outputSchemaDefinition,
            ownsTransformer: true);

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, DataViewSchema inputSchema)
        where TSrc : class
        where TDst : class, new()
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new PredictionEngine<TSrc, TDst>(
            transformer,
            ignoreMissingColumns: false,
            InternalSchemaDefinition.Create(typeof(TSrc), inputSchema),
            outputSchemaDefinition: null,
            ownsTransformer: true);
    }

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, PredictionEngineOptions options)
        where TSrc : class
        where TDst : class, new()
    {
        ArgumentNullException.ThrowIfNull(options);
        return new PredictionEngine<TSrc, TDst>(
            transformer,
            options.IgnoreMissingColumns,
            InternalSchemaDefinition.Create(typeof(TSrc), SchemaDefinition.Direction.Read, options.InputSchemaDefinition),
            options.OutputSchemaDefinition,
            options.OwnsTransformer);
    }

    private static SortedDictionary<string, byte[]> EntriesOf(ITransformer model, DataViewSchema? inputSchema)
    {
        ArgumentNullException.ThrowIfNull(model);
        var entries = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        ModelSaveContext.Save(entries, model, ModelDirectory);
        if (inputSchema is not null)
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream, Encoding.UTF8);
            SchemaCodec.Write(writer, inputSchema);
            writer.Flush();
            entries[SchemaEntry] = stream.ToArray();
        }

        return entries;
    }

    private static DataViewSchema ReadSchema(byte[] content)
    {
        using var reader = new BinaryReader(new MemoryStream(content, writable: false), Encoding.UTF8);
        try
        {
            return SchemaCodec.Read(reader);
        }
        catch (Exception e) when (e is EndOfStreamException or OverflowException)
        {
            throw new FormatException("The input schema of the model is cut short or damaged", e);
        }
    }
}
