using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class ValueToKeyMappingEstimator : IEstimator<ValueToKeyMappingTransformer>
{
    private readonly IHost _host;
    private readonly InputOutputColumnPair[] _columns;
    private readonly int _maximumNumberOfKeys;
    private readonly KeyOrdinality _keyOrdinality;
    private readonly bool _asText;
    private readonly IDataView? _keyData;

    internal ValueToKeyMappingEstimator(
        IHostEnvironment env, InputOutputColumnPair[] columns, int maximumNumberOfKeys, KeyOrdinality keyOrdinality, bool asText, IDataView? keyData)
    {
        _host = env.Register(nameof(ValueToKeyMappingEstimator));
        ArgumentNullException.ThrowIfNull(columns);
        Contracts.CheckParam(columns.Length > 0, nameof(columns), "No columns are given");
        Contracts.CheckParam(maximumNumberOfKeys > 0, nameof(maximumNumberOfKeys), "Must be positive");
        Contracts.CheckParam(
            keyData is null || keyData.Schema.Count == 1,
            nameof(keyData),
            $"If specified, this data view should contain only a single column containing the terms to map, but this had {keyData?.Schema.Count} columns.");
        _columns = columns;
        _maximumNumberOfKeys = maximumNumberOfKeys;
        _keyOrdinality = keyOrdinality;
        _asText = asText;
        _keyData = keyData;
    }

    public ValueToKeyMappingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        var sources = Array.ConvertAll(_columns, pair => input.Schema[pair.InputColumnName]);
        var vocabularies = _keyData is null ? Collect(input, sources, _maximumNumberOfKeys) : Array.ConvertAll(sources, FromKeyData);
        return new ValueToKeyMappingTransformer(_host, _columns, vocabularies, _asText);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(_columns.Select(pair =>
        {
            var source = inputSchema.Require(pair.InputColumnName);
            if (!DataViewTypes.TryPrimitiveOf(source.ItemType.RawType, out var primitive) || primitive is RowIdDataViewType)
            {
                throw Contracts.SchemaMismatch(
                    nameof(inputSchema), "input", source.Name, "standard type or a vector of standard type", source.GetTypeString());
            }

            if (!source.IsKey || !source.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out var keyValues)
                || keyValues.Kind != SchemaShape.Column.VectorKind.Vector)
            {
                keyValues = new SchemaShape.Column(
                    AnnotationKinds.KeyValues,
                    SchemaShape.Column.VectorKind.Vector,
                    _asText ? TextDataViewType.Instance : source.ItemType,
                    !_asText && source.IsKey);
            }

            return new SchemaShape.Column(pair.OutputColumnName, source.Kind, NumberDataViewType.UInt32, true,
                new SchemaShape([.. source.AnnotationsNamed(AnnotationKinds.SlotNames), keyValues]));
        }));
    }

    private Vocabulary FromKeyData(DataViewSchema.Column source)
    {
        var keys = _keyData!.Schema[0];
        if (!keys.Type.ItemType().Equals(source.Type.ItemType()))
        {
            throw new InvalidOperationException(
                $"Data file terms loaded as type '{keys.Type.ItemType()}' but mismatches column '{source.Name}' item type '{source.Type.ItemType()}'");
        }

        return Collect(_keyData, [keys], int.MaxValue)[0];
    }

    private Vocabulary[] Collect(IDataView data, DataViewSchema.Column[] sources, int limit)
    {
        using var cursor = data.GetRowCursor(sources);
        var builders = Array.ConvertAll(sources, source => VocabularyBuilder.Create(cursor, source, limit));
        var wanted = new bool[builders.Length];
        Array.Fill(wanted, true);
        bool any = true;
        while (any && cursor.MoveNext())
        {
            any = false;
            for (int i = 0; i < builders.Length; i++)
            {
                wanted[i] = wanted[i] && builders[i].AddRow();
                any |= wanted[i];
            }
        }

        return Array.ConvertAll(builders, builder => builder.ToVocabulary(_keyOrdinality));
    }

    public enum KeyOrdinality : byte
    {
        ByOccurrence = 0,
        ByValue = 1,
    }
}
