using System.Collections;

namespace TorchSharp.Utils;

public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly bool _contiguous;
    private Tensor? _tensor;

    internal TensorAccessor(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
        {
            throw new InvalidOperationException(
                "Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        }

        _tensor = tensor;
        _shape = tensor.shape;
        _strides = tensor.stride();
        _contiguous = tensor.is_contiguous();
        Count = tensor.numel();
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    private Tensor Source
    {
        get
        {
            ObjectDisposedException.ThrowIf(_tensor is null, this);
            return _tensor;
        }
    }

    private T* Pointer => (T*)Source.DataPointer();

    public T this[params long[] indices]
    {
        get
        {
            T value = Pointer[Offset(indices)];
            GC.KeepAlive(_tensor);
            return value;
        }

        set
        {
            Pointer[Offset(indices)] = value;
            GC.KeepAlive(_tensor);
        }
    }

    public static bool operator ==(TensorAccessor<T> left, TensorAccessor<T> right) => left.SequenceEqual(right);

    public static bool operator !=(TensorAccessor<T> left, TensorAccessor<T> right) => !(left == right);

    public T[] ToArray()
    {
        var result = new T[Count];
        Read(0, result);
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        ValidateStart(tensorIndex);
        Span<T> target = array.AsSpan(arrayIndex);
        Read(tensorIndex, target[..(int)Math.Min(target.Length, Count - tensorIndex)]);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        ValidateStart(tensorIndex);
        ReadOnlySpan<T> source = array.AsSpan(arrayIndex);
        source = source[..(int)Math.Min(source.Length, Count - tensorIndex)];
        T* pointer = Pointer;
        if (_contiguous)
        {
            source.CopyTo(new Span<T>(pointer + tensorIndex, source.Length));
        }
        else
        {
            for (int i = 0; i < source.Length; i++)
            {
                pointer[Offset(tensorIndex + i)] = source[i];
            }
        }

        GC.KeepAlive(_tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override bool Equals(object? obj) => obj is TensorAccessor<T> other && this == other;

    public override int GetHashCode() => base.GetHashCode();

    public void Dispose() => _tensor = null;

    private void Read(long start, Span<T> target)
    {
        T* pointer = Pointer;
        if (_contiguous)
        {
            new ReadOnlySpan<T>(pointer + start, target.Length).CopyTo(target);
        }
        else
        {
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = pointer[Offset(start + i)];
            }
        }

        GC.KeepAlive(_tensor);
    }

    private void ValidateStart(long index)
    {
        if (index < 0 || index >= Count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index, $"Expected the index of one of {Count} elements.");
        }
    }

    private long Offset(long[] indices)
    {
        if (indices.Length == 1)
        {
            return Offset(indices[0]);
        }

        if (indices.Length != _shape.Length)
        {
            throw new ArgumentException($"Expected {_shape.Length} indices, found {indices.Length}.", nameof(indices));
        }

        long offset = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= _shape[i])
            {
                throw new IndexOutOfRangeException($"{indices[i]} is not in [0, {_shape[i]}) in dimension {i}.");
            }

            offset += indices[i] * _strides[i];
        }

        return offset;
    }

    private long Offset(long index)
    {
        if (index < 0 || index >= Count)
        {
            throw new IndexOutOfRangeException($"{index} is not the index of one of {Count} elements.");
        }

        if (_contiguous)
        {
            return index;
        }

        long offset = 0;
        for (int i = _shape.Length - 1; i >= 0; i--)
        {
            (index, long position) = Math.DivRem(index, _shape[i]);
            offset += position * _strides[i];
        }

        return offset;
    }
}
