using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>What is gathered of a column to normalize it, slot by slot. Missing values count for nothing.</summary>
internal abstract class NormalizerStatistics
{
    public static NormalizerStatistics Create<T>(NormalizerColumn column, DataViewRow row, DataViewSchema.Column source)
        where T : struct, IBinaryFloatingPointIeee754<T> => column.Mode == NormalizerMode.MinMax
            ? new MinMaxStatistics<T>(column, row, source)
            : new MeanVarianceStatistics<T>(column, row, source);

    public abstract void AddRow();

    public abstract NormalizerFunction ToFunction();
}

internal abstract class NormalizerStatistics<T> : NormalizerStatistics
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly ValueGetter<T>? _getItem;
    private readonly ValueGetter<VBuffer<T>>? _getVector;
    private VBuffer<T> _vector;

    protected NormalizerStatistics(NormalizerColumn column, DataViewRow row, DataViewSchema.Column source)
    {
        Column = column;
        Type = source.Type;
        if (source.Type is VectorDataViewType)
        {
            _getVector = row.GetGetter<VBuffer<T>>(source);
        }
        else
        {
            _getItem = row.GetGetter<T>(source);
        }
    }

    protected NormalizerColumn Column { get; }

    protected DataViewType Type { get; }

    protected long RowCount { get; private set; }

    public sealed override void AddRow()
    {
        RowCount++;
        if (_getItem is not null)
        {
            T item = default;
            _getItem(ref item);
            Add(0, item);
            return;
        }

        _getVector!(ref _vector);
        if (_vector.Length != Type.ValueCount())
        {
            throw new InvalidOperationException($"Normalizer expected {Type.ValueCount()} slots but got {_vector.Length}");
        }

        var items = _vector.GetValues();
        var indices = _vector.GetIndices();
        for (int i = 0; i < items.Length; i++)
        {
            Add(indices.IsEmpty ? i : indices[i], items[i]);
        }
    }

    /// <summary>Takes in an explicit value; slots that a sparse row leaves out are zeros.</summary>
    protected abstract void Add(int slot, T value);
}

internal sealed class MinMaxStatistics<T> : NormalizerStatistics<T>
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _min;
    private readonly T[] _max;
    private readonly long[] _count;

    public MinMaxStatistics(NormalizerColumn column, DataViewRow row, DataViewSchema.Column source)
        : base(column, row, source)
    {
        int size = source.Type.ValueCount();
        _count = new long[size];
        _min = new T[size];
        _max = new T[size];
        Array.Fill(_min, T.PositiveInfinity);
        Array.Fill(_max, T.NegativeInfinity);
    }

    public override NormalizerFunction ToFunction()
    {
        var scale = new T[_min.Length];
        var offset = new T[_min.Length];
        for (int i = 0; i < scale.Length; i++)
        {
            if (_count[i] < RowCount)
            {
                Include(i, T.Zero);
            }

            // A constant slot says nothing: a scale of zero makes it zero.
            if (!(_max[i] > _min[i]))
            {
                continue;
            }

            if (Column.FixZero)
            {
                scale[i] = T.One / T.Max(T.Abs(_max[i]), T.Abs(_min[i]));
            }
            else
            {
                // A range beyond the largest number: the scale underflows and the slot becomes zero.
                scale[i] = T.One / (_max[i] - _min[i]);
                offset[i] = scale[i] == T.Zero ? T.Zero : _min[i];
            }
        }

        return new AffineFunction<T>(Type, scale, Column.FixZero || offset.All(T.IsZero) ? null : offset);
    }

    protected override void Add(int slot, T value)
    {
        _count[slot]++;
        Include(slot, value);
    }

    private void Include(int slot, T value)
    {
        if (value > _max[slot])
        {
            _max[slot] = value;
        }

        if (value < _min[slot])
        {
            _min[slot] = value;
        }
    }
}

/// <summary>Mean and variance in double precision by Welford's update; zeros are taken in at the end, all at once.</summary>
internal sealed class MeanVarianceStatistics<T>(NormalizerColumn column, DataViewRow row, DataViewSchema.Column source)
    : NormalizerStatistics<T>(column, row, source)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly double[] _mean = new double[source.Type.ValueCount()];
    private readonly double[] _squares = new double[source.Type.ValueCount()];
    private readonly long[] _nonZeros = new long[source.Type.ValueCount()];
    private readonly long[] _missing = new long[source.Type.ValueCount()];

    public override NormalizerFunction ToFunction()
    {
        int size = _mean.Length;
        var first = new T[size];
        var second = new T[size];
        for (int i = 0; i < size; i++)
        {
            var (mean, variance) = Moments(i);
            if (variance == 0)
            {
                continue;
            }

            if (Column.UseCdf)
            {
                first[i] = T.CreateTruncating(mean);
                second[i] = T.CreateTruncating(Math.Sqrt(variance));
            }
            else if (Column.FixZero)
            {
                first[i] = T.One / T.CreateTruncating(Math.Sqrt(variance + mean * mean));
            }
            else
            {
                first[i] = T.One / T.CreateTruncating(Math.Sqrt(variance));
                second[i] = first[i] == T.Zero ? T.Zero : T.CreateTruncating(mean);
            }
        }

        return Column.UseCdf
            ? new CdfFunction<T>(Type, first, second)
            : new AffineFunction<T>(Type, first, Column.FixZero || second.All(T.IsZero) ? null : second);
    }

    protected override void Add(int slot, T value)
    {
        if (value == T.Zero)
        {
            return;
        }

        if (!T.IsFinite(value))
        {
            _missing[slot]++;
            return;
        }

        _nonZeros[slot]++;
        double number = double.CreateTruncating(value);
        double delta = number - _mean[slot];
        _mean[slot] += delta / _nonZeros[slot];
        _squares[slot] += delta * (number - _mean[slot]);
    }

    private (double Mean, double Variance) Moments(int slot)
    {
        long zeros = RowCount - _missing[slot] - _nonZeros[slot];
        long count = zeros + _nonZeros[slot];
        if (count == 0)
        {
            return (0, 0);
        }

        double mean = _mean[slot] * _nonZeros[slot] / count;
        return (mean, (_squares[slot] + zeros * _mean[slot] * mean) / count);
    }
}
