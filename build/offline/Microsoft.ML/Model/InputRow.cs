using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A row over one object after the other. Its position grows with each, so that what is cached by position stays right.</summary>
internal sealed class InputRow<TRow>(InternalSchemaDefinition definition) : DataViewRow
    where TRow : class
{
    private readonly RowHolder<TRow> _holder = new();
    private long _position = -1;

    public override long Position => _position;

    public override long Batch => 0;

    public override DataViewSchema Schema { get; } = definition.ToSchema();

    public void MoveTo(TRow row)
    {
        _holder.Row = row;
        _position++;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

    public override bool IsColumnActive(DataViewSchema.Column column) => true;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
        RowMembers<TRow>.Getter(definition.Columns[column.Index], _holder) as ValueGetter<TValue>
            ?? throw Contracts.WrongGetter(column, typeof(TValue));
}
