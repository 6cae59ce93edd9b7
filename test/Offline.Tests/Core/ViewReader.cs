using Microsoft.ML;

namespace MLNet.Pruning.Offline.Tests.Core;

internal static class ViewReader
{
    /// <summary>The values of a scalar column in the order in which a cursor over all columns, shuffled by a Random, gives them.</summary>
    public static T[] Read<T>(this IDataView view, string column, Random? rand = null)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema, rand);
        return Read<T>(cursor, column);
    }

    public static T[] Read<T>(this DataViewRowCursor cursor, string column)
    {
        ValueGetter<T> getter = cursor.GetGetter<T>(cursor.Schema[column]);
        var values = new List<T>();
        T value = default!;
        while (cursor.MoveNext())
        {
            getter(ref value);
            values.Add(value);
        }

        return [.. values];
    }
}
