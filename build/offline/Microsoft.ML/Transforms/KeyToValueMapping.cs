using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(KeyToValueMappingTransformer), KeyToValueMappingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public sealed class KeyToValueMappingEstimator : TrivialEstimator<KeyToValueMappingTransformer>
{
    internal KeyToValueMappingEstimator(IHostEnvironment env, InputOutputColumnPair[] columns)
        : base(env.Register(nameof(KeyToValueMappingEstimator)), new KeyToValueMappingTransformer(
            env, Array.ConvertAll(columns, pair => (pair.OutputColumnName, pair.InputColumnName))))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(Transformer.ColumnPairs.Select(pair =>
        {
            var source = inputSchema.Require(pair.inputColumnName);
            if (!source.IsKey)
            {
                throw Contracts.SchemaMismatch(nameof(inputSchema), "input", source.Name, "key type", source.GetTypeString());
            }

            if (!source.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out var keyValues))
            {
                throw new ArgumentOutOfRangeException(nameof(inputSchema), $"Input column '{source.Name}' doesn't contain key values metadata");
            }

            return new SchemaShape.Column(pair.outputColumnName, source.Kind, keyValues.ItemType, keyValues.IsKey,
                new SchemaShape(source.AnnotationsNamed(AnnotationKinds.SlotNames)));
        }));
    }
}

public sealed class KeyToValueMappingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "KeyToValueTransform";

    internal KeyToValueMappingTransformer(IHostEnvironment env, (string outputColumnName, string inputColumnName)[] columns)
        : base(env.Register(nameof(KeyToValueMappingTransformer)), columns)
    {
    }

    private KeyToValueMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        SaveColumns(ctx);
    }

    private static KeyToValueMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(KeyToValueMappingTransformer)), ctx);

    private sealed class Mapper : OneToOneMapper
    {
        private readonly KeyToValueMappingTransformer _parent;
        private readonly KeyValues[] _values;

        public Mapper(KeyToValueMappingTransformer parent, DataViewSchema schema)
            : base(parent, schema)
        {
            _parent = parent;
            _values = Array.ConvertAll(Sources, source => KeyValues.Of(source) ?? throw new InvalidOperationException(
                $"Metadata KeyValues does not exist for column '{source.Name}' of type {source.Type}, or its size does not match the key count"));
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var columns = new DataViewSchema.DetachedColumn[Sources.Length];
            for (int i = 0; i < columns.Length; i++)
            {
                var annotations = new DataViewSchema.Annotations.Builder();
                annotations.Add(Sources[i].Annotations, name => name == AnnotationKinds.SlotNames);
                var item = _values[i].Type.ItemType;
                columns[i] = new(
                    _parent.ColumnPairs[i].outputColumnName,
                    Sources[i].Type is VectorDataViewType vector ? new VectorDataViewType(item, vector.Dimensions) : item,
                    annotations.ToAnnotations());
            }

            return columns;
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => GenericCall.Instance<Delegate>(
            this,
            nameof(MakeTypedGetter),
            [Sources[output].Type.ItemType().RawType, _values[output].Type.ItemType.RawType],
            input,
            Sources[output],
            _values[output]);

        private Delegate MakeTypedGetter<TKey, TValue>(DataViewRow input, DataViewSchema.Column source, KeyValues<TValue> keyValues)
        {
            var values = keyValues.Items;
            var missing = MissingValue<TValue>();
            var widen = StandardConversions.Get<TKey, ulong>();
            return ItemGetter.Make<TKey, TValue>(
                input,
                source,
                (in TKey key, ref TValue value) =>
                {
                    ulong index = 0;
                    widen(in key, ref index);
                    value = index > 0 && index <= (ulong)values.Length ? values[index - 1] : missing;
                },
                keepsDefault: EqualityComparer<TValue>.Default.Equals(missing, default));
        }

        private static TValue MissingValue<TValue>() => typeof(TValue) == typeof(float) ? (TValue)(object)float.NaN
            : typeof(TValue) == typeof(double) ? (TValue)(object)double.NaN
            : default!;
    }
}
