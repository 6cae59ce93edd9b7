using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(ColumnSelectingTransformer), ColumnSelectingTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms;

public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    internal ColumnSelectingEstimator(IHostEnvironment env, string[] columns, bool keep, bool keepHidden)
        : base(env.Register(nameof(ColumnSelectingEstimator)), new ColumnSelectingTransformer(columns, keep, keepHidden))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Transformer.CheckColumns(inputSchema.Select(column => column.Name));
        return new SchemaShape(inputSchema.Where(column => Transformer.Keeps(column.Name)));
    }
}

public sealed class ColumnSelectingTransformer : ITransformer
{
    internal const string LoaderSignature = "SelectColumnsTransform";

    private readonly string[] _columns;
    private readonly bool _keep;
    private readonly bool _keepHidden;

    /// <param name="columns">The columns to keep, or to drop.</param>
    /// <param name="keep">Which of the two.</param>
    /// <param name="keepHidden">Whether hidden columns of the names to keep are kept too; dropping keeps all others anyway.</param>
    internal ColumnSelectingTransformer(string[] columns, bool keep, bool keepHidden)
    {
        ArgumentNullException.ThrowIfNull(columns);
        _columns = columns;
        _keep = keep;
        _keepHidden = keepHidden;
    }

    bool ITransformer.IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Select(inputSchema).OutputSchema;

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new SelectedDataView(input, Select(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => Select(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        ctx.Writer.Write(_keep);
        ctx.Writer.Write(_keepHidden);
        ctx.Writer.Write(_columns.Length);
        foreach (string column in _columns)
        {
            ctx.Writer.Write(column);
        }
    }

    internal bool Keeps(string name) => _columns.Contains(name) == _keep;

    internal void CheckColumns(IEnumerable<string> present)
    {
        var names = present.ToHashSet();
        var missing = _columns.Where(column => !names.Contains(column)).ToList();
        if (missing.Count > 0)
        {
            throw Contracts.MissingColumn("inputSchema", "input", string.Join(",", missing), names);
        }
    }

    private static ColumnSelectingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        bool keep = ctx.Reader.ReadBoolean(), keepHidden = ctx.Reader.ReadBoolean();
        var columns = new string[ctx.Reader.ReadInt32()];
        for (int i = 0; i < columns.Length; i++)
        {
            columns[i] = ctx.Reader.ReadString();
        }

        return new ColumnSelectingTransformer(columns, keep, keepHidden);
    }

    private SelectedColumns Select(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckColumns(inputSchema.Select(column => column.Name));
        // Kept columns come in the order in which they are named, the others in that of the input.
        var sources = _keep
            ? _columns.SelectMany(name => inputSchema.Where(column => column.Name == name && (_keepHidden || !column.IsHidden)))
            : inputSchema.Where(column => Keeps(column.Name));
        return new SelectedColumns(inputSchema, [.. sources]);
    }
}
