using System.Collections;

namespace Microsoft.ML.Data;

/// <summary>
/// A vector, dense or sparse, whose arrays are reused from row to row. A sparse one holds its explicit values at
/// strictly increasing indices.
/// </summary>
public readonly struct VBuffer<T> : IEnumerable
{
    public readonly int Length;

    private readonly T[]? _values;
    private readonly int[]? _indices;
    private readonly int _count;

    public VBuffer(int length, T[] values, int[]? indices = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        CheckCapacity(values, length, nameof(values));
        Length = length;
        _count = length;
        _values = values;
        _indices = indices;
    }

    public VBuffer(int length, int count, T[] values, int[] indices)
        : this(length, count, values, indices, check: true)
    {
    }

    internal VBuffer(int length, int count, T[]? values, int[]? indices, bool check)
    {
        if (check)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, length);
            CheckCapacity(values, count, nameof(values));
            if (count < length)
            {
                CheckCapacity(indices, count, nameof(indices));
            }
        }

        Length = length;
        _count = count;
        _values = values;
        _indices = indices;
    }

    public bool IsDense => _count == Length;

    public static void Copy(T[] source, int sourceIndex, ref VBuffer<T> destination, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(sourceIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sourceIndex, (source?.Length ?? 0) - length);
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length);
        source.AsSpan(sourceIndex, length).CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public ReadOnlySpan<T> GetValues() => _values.AsSpan(0, _count);

    public ReadOnlySpan<int> GetIndices() => IsDense ? default : _indices.AsSpan(0, _count);

    public T GetItemOrDefault(int index)
    {
        T value = default!;
        GetItemOrDefault(index, ref value);
        return value;
    }

    public void GetItemOrDefault(int index, ref T destination)
    {
        if ((uint)index >= (uint)Length)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The vector has {Length} slots");
        }

        int at = IsDense ? index : Array.BinarySearch(_indices!, 0, _count, index);
        destination = at >= 0 ? _values![at] : default!;
    }

    public void CopyTo(ref VBuffer<T> destination)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, Length, _count);
        GetValues().CopyTo(editor.Values);
        if (!IsDense)
        {
            GetIndices().CopyTo(editor.Indices);
        }

        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination, int sourceIndex, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(sourceIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sourceIndex, Length - length);
        if (IsDense)
        {
            VBufferEditor<T> dense = VBufferEditor.Create(ref destination, length);
            GetValues().Slice(sourceIndex, length).CopyTo(dense.Values);
            destination = dense.Commit();
            return;
        }

        ReadOnlySpan<int> indices = GetIndices();
        int first = LowerBound(indices, sourceIndex);
        int count = LowerBound(indices, sourceIndex + length) - first;
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length, count);
        GetValues().Slice(first, count).CopyTo(editor.Values);
        if (count < length)
        {
            for (int i = 0; i < count; i++)
            {
                editor.Indices[i] = indices[first + i] - sourceIndex;
            }
        }

        destination = editor.Commit();
    }

    public void CopyTo(Span<T> destination) => CopyTo(destination, 0);

    public void CopyTo(Span<T> destination, int destinationIndex, T defaultValue = default!)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(destinationIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destinationIndex, destination.Length - Length);
        Span<T> target = destination.Slice(destinationIndex, Length);
        if (IsDense)
        {
            GetValues().CopyTo(target);
            return;
        }

        target.Fill(defaultValue);
        for (int i = 0; i < _count; i++)
        {
            target[_indices![i]] = _values![i];
        }
    }

    public void CopyToDense(ref VBuffer<T> destination)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, Length);
        if (IsDense)
        {
            GetValues().CopyTo(editor.Values);
        }
        else
        {
            CopyTo(editor.Values);
        }

        destination = editor.Commit();
    }

    public IEnumerable<KeyValuePair<int, T>> Items(bool all = false) => Items(_values, _indices, Length, _count, all);

    public IEnumerable<T> DenseValues() => Items(all: true).Select(item => item.Value);

    public IEnumerator GetEnumerator() => DenseValues().GetEnumerator();

    public override string ToString() => IsDense
        ? $"Dense vector of size {Length}"
        : $"Sparse vector of size {Length}, {_count} explicit values";

    internal VBufferEditor<T> GetEditor() =>
        new(Length, _count, _values, _indices, requireIndicesOnDense: false, createdNewValues: false, createdNewIndices: false);

    internal VBufferEditor<T> GetEditor(int length, int? count, int? capacity, bool keepOld, bool requireIndicesOnDense)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length, "newLogicalLength");
        int logical = count ?? length;
        ArgumentOutOfRangeException.ThrowIfNegative(logical, "valuesCount");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logical, length, "valuesCount");
        int limit = Math.Max(capacity ?? length, logical);
        T[]? values = _values;
        bool newValues = Grow(ref values, logical, limit, keepOld);
        int[]? indices = _indices;
        bool newIndices = (logical < length || requireIndicesOnDense) && Grow(ref indices, logical, limit, keepOld);
        return new VBufferEditor<T>(length, logical, values, indices, requireIndicesOnDense, newValues, newIndices);
    }

    private static IEnumerable<KeyValuePair<int, T>> Items(T[]? values, int[]? indices, int length, int count, bool all)
    {
        if (count == length)
        {
            for (int i = 0; i < count; i++)
            {
                yield return new KeyValuePair<int, T>(i, values![i]);
            }
        }
        else if (!all)
        {
            for (int i = 0; i < count; i++)
            {
                yield return new KeyValuePair<int, T>(indices![i], values![i]);
            }
        }
        else
        {
            int next = 0;
            for (int slot = 0; slot < length; slot++)
            {
                yield return new KeyValuePair<int, T>(slot, next < count && indices![next] == slot ? values![next++] : default!);
            }
        }
    }

    // Doubling keeps a buffer that grows row by row from reallocating at each.
    private static bool Grow<TItem>(ref TItem[]? array, int needed, int limit, bool keepOld)
    {
        int have = array?.Length ?? 0;
        if (have >= needed)
        {
            return false;
        }

        int size = (int)Math.Min(limit, Math.Max(needed, 2L * have));
        if (keepOld)
        {
            Array.Resize(ref array, size);
        }
        else
        {
            array = new TItem[size];
        }

        return true;
    }

    private static int LowerBound(ReadOnlySpan<int> indices, int value)
    {
        int at = indices.BinarySearch(value);
        return at < 0 ? ~at : at;
    }

    private static void CheckCapacity<TItem>(TItem[]? array, int needed, string name)
    {
        if ((array?.Length ?? 0) < needed)
        {
            throw new ArgumentOutOfRangeException(name, $"The array holds {array?.Length ?? 0} items, {needed} are needed");
        }
    }
}
