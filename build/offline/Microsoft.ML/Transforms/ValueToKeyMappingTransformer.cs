using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(ValueToKeyMappingTransformer), ValueToKeyMappingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public sealed class ValueToKeyMappingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "TermTransform";

    private readonly Vocabulary[] _vocabularies;
    private readonly bool _asText;

    internal ValueToKeyMappingTransformer(IHostEnvironment env, InputOutputColumnPair[] columns, Vocabulary[] vocabularies, bool asText)
        : base(env.Register(nameof(ValueToKeyMappingTransformer)), Array.ConvertAll(columns, pair => (pair.OutputColumnName, pair.InputColumnName)))
    {
        _vocabularies = vocabularies;
        _asText = asText;
    }

    private ValueToKeyMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        _asText = ctx.Reader.ReadBoolean();
        _vocabularies = new Vocabulary[ColumnPairs.Length];
        for (int i = 0; i < _vocabularies.Length; i++)
        {
            _vocabularies[i] = Vocabulary.Read(ctx.Reader);
        }
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write(_asText);
        foreach (var vocabulary in _vocabularies)
        {
            vocabulary.Write(ctx.Writer);
        }
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        var expected = _vocabularies[pair].ItemType;
        if (!source.Type.ItemType().Equals(expected))
        {
            throw Contracts.SchemaMismatch(nameof(inputSchema), "input", source.Name, $"{expected} or a vector of it", source.Type.ToString()!);
        }
    }

    private static ValueToKeyMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(ValueToKeyMappingTransformer)), ctx);

    private sealed class Mapper(ValueToKeyMappingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var columns = new DataViewSchema.DetachedColumn[Sources.Length];
            for (int i = 0; i < columns.Length; i++)
            {
                var vocabulary = parent._vocabularies[i];
                // A key type has at least one key, even where no value was seen.
                var key = new KeyDataViewType(typeof(uint), Math.Max(1, vocabulary.Count));
                var annotations = new DataViewSchema.Annotations.Builder();
                vocabulary.Describe(Sources[i], parent._asText)?.AddTo(annotations, AnnotationKinds.KeyValues);
                annotations.Add(Sources[i].Annotations, name => name == AnnotationKinds.SlotNames);
                columns[i] = new(
                    parent.ColumnPairs[i].outputColumnName,
                    Sources[i].Type is VectorDataViewType vector ? new VectorDataViewType(key, vector.Dimensions) : key,
                    annotations.ToAnnotations());
            }

            return columns;
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => parent._vocabularies[output].MakeGetter(input, Sources[output]);
    }
}
