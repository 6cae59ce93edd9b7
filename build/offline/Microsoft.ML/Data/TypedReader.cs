namespace Microsoft.ML.Data;

/// <summary>Fills objects of a row class from the columns of a schema that its members name.</summary>
internal sealed class TypedReader<TRow>
    where TRow : class
{
    private readonly (InternalSchemaDefinition.Column Member, DataViewSchema.Column Source)[] _bound;

    public TypedReader(DataViewSchema schema, bool ignoreMissingColumns, SchemaDefinition? definition)
    {
        var members = InternalSchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Write, definition);
        var bound = new List<(InternalSchemaDefinition.Column, DataViewSchema.Column)>();
        foreach (InternalSchemaDefinition.Column member in members.Columns)
        {
            if (schema.GetColumnOrNull(member.Name) is DataViewSchema.Column source)
            {
                CheckType(member, source);
                bound.Add((member, source));
            }
            else if (!ignoreMissingColumns)
            {
                throw Runtime.Contracts.MissingColumn(nameof(schema), typeof(TRow).Name, member.Name, schema.Select(column => column.Name));
            }
        }

        _bound = [.. bound];
    }

    /// <summary>The columns that rows are read from.</summary>
    public IEnumerable<DataViewSchema.Column> Sources => _bound.Select(pair => pair.Source);

    /// <summary>An action that fills an object from where the row is.</summary>
    public Action<TRow> Bind(DataViewRow row)
    {
        Action<TRow>[] fillers = Array.ConvertAll(_bound, pair => RowMembers<TRow>.Filler(pair.Member, row, pair.Source));
        return target =>
        {
            foreach (Action<TRow> fill in fillers)
            {
                fill(target);
            }
        };
    }

    private static void CheckType(InternalSchemaDefinition.Column member, DataViewSchema.Column source)
    {
        var type = MemberType.Of(member.MemberClrType);
        if (source.Type is VectorDataViewType != type.IsVector || source.Type.ItemType().RawType != type.RawItemType)
        {
            throw new InvalidOperationException(
                $"Can't bind the IDataView column '{source.Name}' of type '{source.Type}' "
                + $"to field or property '{member.Member.Name}' of type '{member.MemberClrType.FullName}'.");
        }
    }
}
