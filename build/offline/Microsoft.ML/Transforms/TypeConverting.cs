using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(TypeConvertingTransformer), TypeConvertingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public sealed class TypeConvertingEstimator : TrivialEstimator<TypeConvertingTransformer>
{
    internal TypeConvertingEstimator(IHostEnvironment env, InputOutputColumnPair[] columns, DataKind outputKind)
        : base(env.Register(nameof(TypeConvertingEstimator)), new TypeConvertingTransformer(env, columns, outputKind))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var target = DataViewTypes.PrimitiveOf(Transformer.OutputKind);
        return inputSchema.With(Transformer.ColumnPairs.Select(pair =>
        {
            var source = inputSchema.Require(pair.inputColumnName);
            bool toKey = source.IsKey && KeyDataViewType.IsValidDataType(target.RawType);
            if (source.IsKey != toKey || !StandardConversions.CanConvert(source.ItemType.RawType, target.RawType))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(inputSchema), $"Don't know how to convert column '{source.Name}' of type {source.GetTypeString()} into {target}");
            }

            var annotations = new List<SchemaShape.Column>();
            if (source.Kind == SchemaShape.Column.VectorKind.Vector)
            {
                annotations.AddRange(source.AnnotationsNamed(AnnotationKinds.SlotNames));
            }

            if (toKey)
            {
                annotations.AddRange(source.AnnotationsNamed(AnnotationKinds.KeyValues));
            }

            if (target is NumberDataViewType)
            {
                annotations.AddRange(source.ItemType is BooleanDataViewType
                    ? [new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false)]
                    : source.AnnotationsNamed(AnnotationKinds.IsNormalized));
            }

            return new SchemaShape.Column(pair.outputColumnName, source.Kind, target, toKey, new SchemaShape(annotations));
        }));
    }
}

public sealed class TypeConvertingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ConvertTransform";

    internal TypeConvertingTransformer(IHostEnvironment env, InputOutputColumnPair[] columns, DataKind outputKind)
        : base(env.Register(nameof(TypeConvertingTransformer)), Array.ConvertAll(columns, pair => (pair.OutputColumnName, pair.InputColumnName))) =>
        OutputKind = outputKind;

    private TypeConvertingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => OutputKind = (DataKind)ctx.Reader.ReadByte();

    internal DataKind OutputKind { get; }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write((byte)OutputKind);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        var target = DataViewTypes.PrimitiveOf(OutputKind);
        var item = source.Type.ItemType();
        if ((item is KeyDataViewType && !KeyDataViewType.IsValidDataType(target.RawType)) || !StandardConversions.CanConvert(item.RawType, target.RawType))
        {
            throw new ArgumentOutOfRangeException(
                nameof(inputSchema), $"source column '{source.Name}' with item type '{source.Type}' is not compatible with destination type '{target}'");
        }
    }

    private static TypeConvertingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(TypeConvertingTransformer)), ctx);

    private sealed class Mapper(TypeConvertingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var columns = new DataViewSchema.DetachedColumn[Sources.Length];
            for (int i = 0; i < columns.Length; i++)
            {
                var source = Sources[i];
                var item = TargetOf(source);
                var annotations = new DataViewSchema.Annotations.Builder();
                annotations.Add(source.Annotations, name => name switch
                {
                    AnnotationKinds.SlotNames => source.Type is VectorDataViewType { IsKnownSize: true },
                    AnnotationKinds.KeyValues => item.KeyCount() > 0 && item.KeyCount() == source.Type.ItemType().KeyCount(),
                    AnnotationKinds.IsNormalized => source.Type.ItemType() is NumberDataViewType && item is NumberDataViewType,
                    _ => false,
                });
                if (source.Type is BooleanDataViewType && item is NumberDataViewType)
                {
                    annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                }

                columns[i] = new(
                    parent.ColumnPairs[i].outputColumnName,
                    source.Type is VectorDataViewType vector ? new VectorDataViewType(item, vector.Dimensions) : item,
                    annotations.ToAnnotations());
            }

            return columns;
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => GenericCall.Instance<Delegate>(
            this,
            nameof(MakeTypedGetter),
            [Sources[output].Type.ItemType().RawType, TargetOf(Sources[output]).RawType],
            input,
            Sources[output]);

        private PrimitiveDataViewType TargetOf(DataViewSchema.Column source)
        {
            var target = DataViewTypes.PrimitiveOf(parent.OutputKind);
            return source.Type.ItemType() is KeyDataViewType key
                ? new KeyDataViewType(target.RawType, Math.Min(key.Count, MaxKey(target.RawType)))
                : target;
        }

        private static ulong MaxKey(Type type) =>
            type == typeof(byte) ? byte.MaxValue : type == typeof(ushort) ? ushort.MaxValue : type == typeof(uint) ? uint.MaxValue : ulong.MaxValue;

        private Delegate MakeTypedGetter<TSource, TDestination>(DataViewRow input, DataViewSchema.Column source)
        {
            var convert = StandardConversions.Get<TSource, TDestination>();
            TDestination zero = default!;
            bool keepsDefault = typeof(TSource) != typeof(ReadOnlyMemory<char>) && typeof(TDestination) != typeof(ReadOnlyMemory<char>);
            if (source.Type.ItemType() is not KeyDataViewType key || key.Count <= MaxKey(typeof(TDestination)))
            {
                return ItemGetter.Make(input, source, convert, keepsDefault);
            }

            // A key beyond the range of the narrower type is a missing one.
            var widen = StandardConversions.Get<TSource, ulong>();
            ulong max = MaxKey(typeof(TDestination));
            return ItemGetter.Make<TSource, TDestination>(
                input,
                source,
                (in TSource item, ref TDestination value) =>
                {
                    ulong wide = 0;
                    widen(in item, ref wide);
                    if (wide <= max)
                    {
                        convert(in item, ref value);
                    }
                    else
                    {
                        value = zero;
                    }
                },
                keepsDefault);
        }
    }
}
