using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer each of whose output columns is made of one input column.</summary>
public abstract class OneToOneTransformerBase : RowToRowTransformerBase
{
    internal readonly (string outputColumnName, string inputColumnName)[] ColumnPairs;

    private protected OneToOneTransformerBase(IHost host, params (string outputColumnName, string inputColumnName)[] columns)
        : base(host)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var names = new HashSet<string>();
        foreach ((string output, string input) in columns)
        {
            Contracts.CheckNonEmpty(input, nameof(columns));
            Contracts.CheckNonEmpty(output, nameof(columns));
            Contracts.CheckParam(names.Add(output), nameof(columns), $"Name of the result column '{output}' specified multiple times");
        }

        ColumnPairs = columns;
    }

    private protected OneToOneTransformerBase(IHost host, ModelLoadContext ctx)
        : base(host)
    {
        ColumnPairs = new (string, string)[ctx.Reader.ReadInt32()];
        for (int i = 0; i < ColumnPairs.Length; i++)
        {
            ColumnPairs[i] = (ctx.Reader.ReadString(), ctx.Reader.ReadString());
        }
    }

    private protected void SaveColumns(ModelSaveContext ctx)
    {
        ctx.Writer.Write(ColumnPairs.Length);
        foreach ((string output, string input) in ColumnPairs)
        {
            ctx.Writer.Write(output);
            ctx.Writer.Write(input);
        }
    }

    /// <summary>Throws where the type of an input column is one that the transformer cannot map.</summary>
    private protected virtual void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
    }

    /// <summary>A mapper that has found and checked the input column of every pair.</summary>
    private protected abstract class OneToOneMapper : RowMapper
    {
        protected OneToOneMapper(OneToOneTransformerBase parent, DataViewSchema inputSchema)
            : base(inputSchema)
        {
            Sources = new DataViewSchema.Column[parent.ColumnPairs.Length];
            for (int i = 0; i < Sources.Length; i++)
            {
                string name = parent.ColumnPairs[i].inputColumnName;
                Sources[i] = inputSchema.GetColumnOrNull(name)
                    ?? throw Contracts.MissingColumn(nameof(inputSchema), "input", name, inputSchema.Select(column => column.Name));
                parent.CheckInputColumn(inputSchema, i, Sources[i]);
            }
        }

        /// <summary>The input column of each pair.</summary>
        protected DataViewSchema.Column[] Sources { get; }

        public override IEnumerable<int> GetDependencies(int output) => [Sources[output].Index];
    }
}
