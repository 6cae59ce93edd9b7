namespace Microsoft.ML.Data;

/// <summary>Reads labels of any type as numbers: true is 1, the first key 0; missing ones are NaN.</summary>
internal static class LabelReader
{
    public static ValueGetter<float> GetGetter(DataViewRow row, DataViewSchema.Column column)
    {
        switch (column.Type)
        {
            case KeyDataViewType key:
                return key.RawType == typeof(byte) ? FromKey<byte>(row, column, key.Count, static value => value)
                    : key.RawType == typeof(ushort) ? FromKey<ushort>(row, column, key.Count, static value => value)
                    : key.RawType == typeof(uint) ? FromKey<uint>(row, column, key.Count, static value => value)
                    : FromKey<ulong>(row, column, key.Count, static value => value);
            case BooleanDataViewType:
                var getFlag = row.GetGetter<bool>(column);
                bool flag = false;
                return (ref float label) =>
                {
                    getFlag(ref flag);
                    label = flag ? 1 : 0;
                };
            case NumberDataViewType number when number == NumberDataViewType.Single:
                return row.GetGetter<float>(column);
            case NumberDataViewType number when number == NumberDataViewType.Double:
                var getDouble = row.GetGetter<double>(column);
                double wide = 0;
                return (ref float label) =>
                {
                    getDouble(ref wide);
                    label = (float)wide;
                };
            default:
                throw new InvalidOperationException(
                    $"Only floating point number, boolean, and key type values can be used as label; column '{column.Name}' is {column.Type}.");
        }
    }

    private static ValueGetter<float> FromKey<T>(DataViewRow row, DataViewSchema.Column column, ulong count, Func<T, ulong> widen)
    {
        var getKey = row.GetGetter<T>(column);
        T key = default!;
        return (ref float label) =>
        {
            getKey(ref key);
            ulong value = widen(key);
            label = value > 0 && value <= count ? value - 1 : float.NaN;
        };
    }
}
