using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>Keeps the rows whose value in a column lies in [lower, upper), or in [lower, upper] where upper is included.</summary>
internal static class RangeFilter
{
    public static IDataView Create(IDataView input, DataViewSchema.Column column, double lower, double upper, bool includeUpper) =>
        new FilteredDataView(input, [column], row =>
        {
            Func<double> read = NumberOf(row, column);
            return () =>
            {
                double value = read();
                return value >= lower && (includeUpper ? value <= upper : value < upper);
            };
        });

    /// <summary>The value of a real column, or where in [0, 1] a key lies among its kind: NaN if it is missing.</summary>
    public static Func<double> NumberOf(DataViewRow row, DataViewSchema.Column column)
    {
        switch (column.Type)
        {
            case KeyDataViewType key:
                return GenericCall.Static<Func<double>>(typeof(RangeFilter), nameof(KeyFraction), [key.RawType], row, column, key.Count);
            case NumberDataViewType when column.Type.RawType == typeof(float):
                ValueGetter<float> single = row.GetGetter<float>(column);
                float value = 0;
                return () =>
                {
                    single(ref value);
                    return value;
                };
            case NumberDataViewType when column.Type.RawType == typeof(double):
                ValueGetter<double> real = row.GetGetter<double>(column);
                double number = 0;
                return () =>
                {
                    real(ref number);
                    return number;
                };
            default:
                throw Contracts.SchemaMismatch("columnName", "source", column.Name, "Single, Double or Key", column.Type.ToString()!);
        }
    }

    private static Func<double> KeyFraction<T>(DataViewRow row, DataViewSchema.Column column, ulong count)
        where T : struct, IConvertible
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = default;
        return () =>
        {
            getter(ref value);
            ulong key = value.ToUInt64(null);
            return key == 0 || key > count ? double.NaN : (key - 0.5) / count;
        };
    }
}
