using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

public static class ColumnCursorExtensions
{
    public static IEnumerable<T> GetColumn<T>(this IDataView data, string columnName)
    {
        ArgumentNullException.ThrowIfNull(data);
        Contracts.CheckNonEmpty(columnName);
        DataViewSchema.Column column = data.Schema.GetColumnOrNull(columnName)
            ?? throw Contracts.MissingColumn("schema", "input", columnName, data.Schema.Select(c => c.Name));
        return data.GetColumn<T>(column);
    }

    public static IEnumerable<T> GetColumn<T>(this IDataView data, DataViewSchema.Column column)
    {
        ArgumentNullException.ThrowIfNull(data);
        var asked = MemberType.Of(typeof(T));
        bool isRaw = column.Type.RawType == typeof(T);
        if (!isRaw && (asked.RawItemType != column.Type.ItemType().RawType || asked.IsVector != column.Type is VectorDataViewType))
        {
            throw new ArgumentOutOfRangeException(
                nameof(column), $"Could not apply a map over type '{typeof(T)}' to column '{column.Name}' since it has type '{column.Type}'");
        }

        return isRaw ? Values<T, T>(data, column, Copied)
            : typeof(T) == typeof(string) ? (IEnumerable<T>)Values<ReadOnlyMemory<char>, string>(data, column, text => text.ToString())
            : typeof(T) == typeof(string[]) ? (IEnumerable<T>)Values<VBuffer<ReadOnlyMemory<char>>, string[]>(data, column, Strings)
            : GenericCall.Static<IEnumerable<T>>(typeof(ColumnCursorExtensions), nameof(Arrays), [asked.ItemType], data, column);
    }

    private static IEnumerable<TItem[]> Arrays<TItem>(IDataView data, DataViewSchema.Column column) =>
        Values<VBuffer<TItem>, TItem[]>(data, column, vector => [.. vector.DenseValues()]);

    private static string[] Strings(VBuffer<ReadOnlyMemory<char>> texts) => [.. texts.DenseValues().Select(text => text.ToString())];

    // The cursor's buffer is filled again with the next row, what has been given out must not change.
    private static T Copied<T>(T value)
    {
        T copy = default!;
        ValueCopy<T>.Copy(value, ref copy);
        return copy;
    }

    private static IEnumerable<TResult> Values<TValue, TResult>(IDataView data, DataViewSchema.Column column, Func<TValue, TResult> convert)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([column]);
        ValueGetter<TValue> getter = cursor.GetGetter<TValue>(column);
        TValue value = default!;
        while (cursor.MoveNext())
        {
            getter(ref value);
            yield return convert(value);
        }
    }
}
