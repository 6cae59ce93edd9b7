using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(NormalizingTransformer), NormalizingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public sealed class NormalizingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "Normalizer";

    private readonly NormalizerFunction[] _functions;

    internal NormalizingTransformer(
        IHostEnvironment env, (string outputColumnName, string inputColumnName)[] columns, NormalizerFunction[] functions)
        : base(env.Register(nameof(NormalizingTransformer)), columns) => _functions = functions;

    private NormalizingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        _functions = new NormalizerFunction[ColumnPairs.Length];
        for (int i = 0; i < _functions.Length; i++)
        {
            _functions[i] = NormalizerFunction.Read(ctx.Reader);
        }
    }

    public NormalizerModelParametersBase GetNormalizerModelParameters(int index)
    {
        Contracts.CheckParam(
            index >= 0 && index < _functions.Length,
            nameof(index),
            $"Not valid. Valid range is from 0 (inclusive) to {_functions.Length} (exclusive) but got {index}.");
        return _functions[index].Parameters;
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        SaveColumns(ctx);
        foreach (var function in _functions)
        {
            function.Write(ctx.Writer);
        }
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        var trained = _functions[pair].Type;
        if (!source.Type.ItemType().Equals(trained.ItemType()) || source.Type.ValueCount() != trained.ValueCount()
            || source.Type is VectorDataViewType != trained is VectorDataViewType)
        {
            throw Contracts.SchemaMismatch(nameof(inputSchema), "input", source.Name, trained.ToString()!, source.Type.ToString()!);
        }
    }

    private static NormalizingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(NormalizingTransformer)), ctx);

    private sealed class Mapper(NormalizingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var columns = new DataViewSchema.DetachedColumn[Sources.Length];
            for (int i = 0; i < columns.Length; i++)
            {
                var annotations = new DataViewSchema.Annotations.Builder();
                annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                annotations.Add(Sources[i].Annotations, name => name == AnnotationKinds.SlotNames);
                columns[i] = new(parent.ColumnPairs[i].outputColumnName, parent._functions[i].Type, annotations.ToAnnotations());
            }

            return columns;
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => parent._functions[output].MakeGetter(input, Sources[output]);
    }

    public abstract class NormalizerModelParametersBase
    {
        private protected NormalizerModelParametersBase()
        {
        }
    }

    public sealed class AffineNormalizerModelParameters<TData> : NormalizerModelParametersBase
    {
        internal AffineNormalizerModelParameters(TData scale, TData offset)
        {
            Scale = scale;
            Offset = offset;
        }

        public TData Scale { get; }

        public TData Offset { get; }
    }

    public sealed class CdfNormalizerModelParameters<TData> : NormalizerModelParametersBase
    {
        internal CdfNormalizerModelParameters(TData mean, TData standardDeviation)
        {
            Mean = mean;
            StandardDeviation = standardDeviation;
        }

        public TData Mean { get; }

        public TData StandardDeviation { get; }

        public bool UseLog => false;
    }
}
