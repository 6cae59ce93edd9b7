using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(ValueMappingTransformer), ValueMappingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public class ValueMappingEstimator : TrivialEstimator<ValueMappingTransformer>
{
    internal ValueMappingEstimator(IHostEnvironment env, ValueMap map, string outputColumnName, string? inputColumnName)
        : base(env.Register(nameof(ValueMappingEstimator)), new ValueMappingTransformer(env, map, outputColumnName, inputColumnName ?? outputColumnName))
    {
    }

    public sealed override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var type = Transformer.Map.ValueType;
        return inputSchema.With(Transformer.ColumnPairs.Select(pair =>
        {
            var source = inputSchema.Require(pair.inputColumnName);
            if (source.Kind != SchemaShape.Column.VectorKind.Scalar && type is VectorDataViewType)
            {
                throw new NotSupportedException(
                    $"Column '{source.Name}' cannot be mapped to values when the column and the map values are both vector type.");
            }

            var kind = type is not VectorDataViewType vector ? source.Kind
                : vector.IsKnownSize ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector;
            SchemaShape.Column[] annotations = Transformer.Map.KeyValues is null
                ? []
                : [new(AnnotationKinds.KeyValues, SchemaShape.Column.VectorKind.Vector, Transformer.Map.KeyValues.Type.ItemType, false)];
            return new SchemaShape.Column(
                pair.outputColumnName, kind, DataViewTypes.PrimitiveOf(type.ItemType().RawType), type is KeyDataViewType, new SchemaShape(annotations));
        }));
    }
}

public sealed class ValueMappingEstimator<TKey, TValue> : ValueMappingEstimator
{
    internal ValueMappingEstimator(IHostEnvironment env, ValueMap map, string outputColumnName, string? inputColumnName)
        : base(env, map, outputColumnName, inputColumnName)
    {
    }
}

public class ValueMappingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ValueMappingTransformer";

    internal ValueMappingTransformer(IHostEnvironment env, ValueMap map, string outputColumnName, string inputColumnName)
        : base(env.Register(nameof(ValueMappingTransformer)), (outputColumnName, inputColumnName)) => Map = map;

    private ValueMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => Map = ValueMap.Read(ctx.Reader);

    internal ValueMap Map { get; }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        SaveColumns(ctx);
        Map.Write(ctx.Writer);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        if (!source.Type.ItemType().Equals(Map.KeyType) || (source.Type is VectorDataViewType && Map.ValueType is VectorDataViewType))
        {
            throw Contracts.SchemaMismatch(nameof(inputSchema), "input", source.Name, Map.KeyType.ToString()!, source.Type.ToString()!);
        }
    }

    private static ValueMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(ValueMappingTransformer)), ctx);

    private sealed class Mapper(ValueMappingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            parent.Map.KeyValues?.AddTo(annotations, AnnotationKinds.KeyValues);
            var type = parent.Map.ValueType;
            if (Sources[0].Type is VectorDataViewType vector)
            {
                type = new VectorDataViewType((PrimitiveDataViewType)type, vector.Dimensions);
                annotations.Add(Sources[0].Annotations, name => name == AnnotationKinds.SlotNames);
            }

            return [new(parent.ColumnPairs[0].outputColumnName, type, annotations.ToAnnotations())];
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => parent.Map.MakeGetter(input, Sources[output]);
    }
}
