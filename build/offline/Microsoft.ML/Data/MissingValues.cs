using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>Keeps the rows that have no missing value, NaN or key 0, in the columns named.</summary>
internal static class MissingValues
{
    public static IDataView Filter(IDataView input, string[] names)
    {
        DataViewSchema.Column[] columns = Array.ConvertAll(names, name => Checked(input.Schema, name));
        return new FilteredDataView(input, columns, row =>
        {
            Func<bool>[] tests = Array.ConvertAll(columns, column => Test(row, column));
            return () =>
            {
                foreach (Func<bool> isMissing in tests)
                {
                    if (isMissing())
                    {
                        return false;
                    }
                }

                return true;
            };
        });
    }

    private static DataViewSchema.Column Checked(DataViewSchema schema, string name)
    {
        DataViewSchema.Column column = schema.GetColumnOrNull(name)
            ?? throw Contracts.MissingColumn(nameof(schema), "source", name, schema.Select(c => c.Name));
        DataViewType item = column.Type.ItemType();
        return item is KeyDataViewType || item.RawType == typeof(float) || item.RawType == typeof(double)
            ? column
            : throw new ArgumentOutOfRangeException(
                nameof(schema), $"Column '{name}' has type {column.Type}, which does not support missing values, so we cannot filter on them");
    }

    private static Func<bool> Test(DataViewRow row, DataViewSchema.Column column) => GenericCall.Static<Func<bool>>(
        typeof(MissingValues),
        column.Type is VectorDataViewType ? nameof(AnyOfVector) : nameof(OfScalar),
        [column.Type.ItemType().RawType],
        row,
        column,
        column.Type.ItemType() is KeyDataViewType);

    private static Func<bool> OfScalar<T>(DataViewRow row, DataViewSchema.Column column, bool isKey)
        where T : struct
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = default;
        return () =>
        {
            getter(ref value);
            return IsMissing(value, isKey);
        };
    }

    // A sparse vector of keys has missing ones in the slots that it does not hold.
    private static Func<bool> AnyOfVector<T>(DataViewRow row, DataViewSchema.Column column, bool isKey)
        where T : struct
    {
        ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> value = default;
        return () =>
        {
            getter(ref value);
            if (isKey && !value.IsDense)
            {
                return true;
            }

            foreach (T item in value.GetValues())
            {
                if (IsMissing(item, isKey))
                {
                    return true;
                }
            }

            return false;
        };
    }

    private static bool IsMissing<T>(T value, bool isKey)
        where T : struct =>
        value switch
        {
            float number => float.IsNaN(number),
            double number => double.IsNaN(number),
            _ => isKey && EqualityComparer<T>.Default.Equals(value, default),
        };
}
