using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Which columns of a schema a cursor was asked for, by index.</summary>
internal static class ActiveColumns
{
    public static bool[] Of(DataViewSchema schema, IEnumerable<DataViewSchema.Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var active = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            if (column.Index >= active.Length || schema[column.Index].Name != column.Name)
            {
                throw new ArgumentOutOfRangeException(nameof(columns), $"Column '{column.Name}' at index {column.Index} is not in the schema");
            }

            active[column.Index] = true;
        }

        return active;
    }

    public static bool Contains(bool[] active, DataViewSchema.Column column)
    {
        Contracts.CheckParam(
            column.Index < active.Length,
            nameof(column),
            $"Column '{column.Name}' at index {column.Index} is not in a schema of {active.Length} columns");
        return active[column.Index];
    }
}
