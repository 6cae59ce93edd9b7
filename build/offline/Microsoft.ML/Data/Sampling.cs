using System.Globalization;
using System.Text;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>
/// Gives every row a number in [0, 1] by which it is assigned to a part of a split: a random one, or one made of the
/// value of a column so that rows with the same value stay together.
/// </summary>
internal sealed class Sampling
{
    private readonly IDataView _data;
    private readonly DataViewSchema.Column[] _needed;
    private readonly Func<DataViewRow, Func<double>> _bind;
    private readonly bool _dependsOnOrder;

    private Sampling(IDataView data, DataViewSchema.Column[] needed, Func<DataViewRow, Func<double>> bind, bool dependsOnOrder)
    {
        _data = data;
        _needed = needed;
        _bind = bind;
        _dependsOnOrder = dependsOnOrder;
    }

    public static Sampling Create(IDataView data, string? keyColumn, int seed)
    {
        if (keyColumn is null)
        {
            return new Sampling(
                data,
                [],
                _ =>
                {
                    var random = new Random(seed);
                    return () => random.NextSingle();
                },
                dependsOnOrder: true);
        }

        DataViewSchema.Column column = data.Schema.GetColumnOrNull(keyColumn)
            ?? throw Contracts.MissingColumn("samplingKeyColumnName", "SamplingKeyColumn", keyColumn, data.Schema.Select(c => c.Name));
        Func<DataViewRow, Func<double>> bind = column.Type switch
        {
            KeyDataViewType key => row => RangeFilter.NumberOf(row, column),
            NumberDataViewType number when number == NumberDataViewType.Single || number == NumberDataViewType.Double => Scaled(data, column),
            _ => row => GenericCall.Static<Func<double>>(typeof(Sampling), nameof(Hashed), [column.Type.RawType], row, column, (uint)seed),
        };
        return new Sampling(data, [column], bind, dependsOnOrder: false);
    }

    /// <summary>The rows whose number is in an interval, or not in it; it is closed below, and above where asked for.</summary>
    public IDataView Rows(double lower, double upper, bool includeUpper, bool complement) => new FilteredDataView(
        _data,
        _needed,
        row =>
        {
            Func<double> number = _bind(row);
            return () =>
            {
                double value = number();
                bool inside = value >= lower && (includeUpper ? value <= upper : value < upper);
                return !double.IsNaN(value) && inside != complement;
            };
        },
        _dependsOnOrder);

    // As the real package does: real numbers are spread over [0, 1] by their range.
    private static Func<DataViewRow, Func<double>> Scaled(IDataView data, DataViewSchema.Column column)
    {
        double min = double.PositiveInfinity;
        double max = double.NegativeInfinity;
        using (DataViewRowCursor cursor = data.GetRowCursor([column]))
        {
            Func<double> read = RangeFilter.NumberOf(cursor, column);
            while (cursor.MoveNext())
            {
                double value = read();
                if (double.IsFinite(value))
                {
                    min = Math.Min(min, value);
                    max = Math.Max(max, value);
                }
            }
        }

        double range = max > min ? max - min : 1;
        return row =>
        {
            Func<double> read = RangeFilter.NumberOf(row, column);
            return () => (read() - min) / range;
        };
    }

    private static Func<double> Hashed<T>(DataViewRow row, DataViewSchema.Column column, uint seed)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return HashOf(value, seed) / (uint.MaxValue + 1.0);
        };
    }

    // FNV-1a over the text of the value, then mixed so that close values fall far apart; the same in every process.
    private static uint HashOf<T>(T value, uint seed)
    {
        ulong hash = 14695981039346656037UL ^ seed;
        string text = Convert.ToString(value is ReadOnlyMemory<char> memory ? memory.ToString() : TextOf(value), CultureInfo.InvariantCulture)!;
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return (uint)((hash ^ (hash >> 33)) >> 32);
    }

    private static object? TextOf<T>(T value)
    {
        if (value is System.Collections.IEnumerable items)
        {
            return string.Join('\u001f', items.Cast<object>().Select(item => Convert.ToString(item, CultureInfo.InvariantCulture)));
        }

        return value;
    }
}
