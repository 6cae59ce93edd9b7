using System.Collections;

namespace Microsoft.ML.OnnxRuntime.Tensors;

public class TensorBase
{
    private readonly Type _primitiveType;

    protected TensorBase(Type primitiveType) => _primitiveType = primitiveType;

    /// <summary>A native value over this tensor's memory, or over a copy of it where that does not lie side by side.</summary>
    internal virtual OrtValue ToOrtValue() =>
        throw new OnnxRuntimeException(ErrorCode.NotImplemented, $"A tensor of {_primitiveType} that is not a Tensor<T> cannot be an input or output");
}

/// <summary>Elements in dimensions, the last one's neighbours beside each other; the first one's where strides are reversed.</summary>
public abstract class Tensor<T> : TensorBase, IReadOnlyList<T>
{
    private readonly int[] _dimensions;
    private readonly int[] _strides;

    protected Tensor(ReadOnlySpan<int> dimensions, bool reverseStride)
        : base(typeof(T))
    {
        _dimensions = dimensions.ToArray();
        _strides = new int[_dimensions.Length];
        IsReversedStride = reverseStride;
        long length = 1;
        for (int i = 0; i < _dimensions.Length; i++)
        {
            int dimension = reverseStride ? i : _dimensions.Length - 1 - i;
            ArgumentOutOfRangeException.ThrowIfNegative(_dimensions[dimension], nameof(dimensions));
            _strides[dimension] = checked((int)length);
            length *= _dimensions[dimension];
        }

        Length = checked((int)length);
    }

    public long Length { get; }

    public int Rank => _dimensions.Length;

    public bool IsReversedStride { get; }

    public ReadOnlySpan<int> Dimensions => _dimensions;

    public ReadOnlySpan<int> Strides => _strides;

    int IReadOnlyCollection<T>.Count => (int)Length;

    public virtual T this[params int[] indices]
    {
        get => this[(indices ?? throw new ArgumentNullException(nameof(indices))).AsSpan()];
        set => this[(indices ?? throw new ArgumentNullException(nameof(indices))).AsSpan()] = value;
    }

    public virtual T this[ReadOnlySpan<int> indices]
    {
        get => GetValue(IndexOf(indices));
        set => SetValue(IndexOf(indices), value);
    }

    T IReadOnlyList<T>.this[int index] => GetValue(index);

    /// <summary>The element at a place in memory.</summary>
    public abstract T GetValue(int index);

    public abstract void SetValue(int index, T value);

    public abstract Tensor<T> Clone();

    public abstract Tensor<TResult> CloneEmpty<TResult>(ReadOnlySpan<int> dimensions);

    /// <summary>The same memory in other dimensions.</summary>
    public abstract Tensor<T> Reshape(ReadOnlySpan<int> dimensions);

    public virtual void Fill(T value)
    {
        for (int i = 0; i < Length; i++)
        {
            SetValue(i, value);
        }
    }

    public virtual DenseTensor<T> ToDenseTensor()
    {
        var dense = new DenseTensor<T>(_dimensions, IsReversedStride);
        for (int i = 0; i < Length; i++)
        {
            dense.SetValue(i, GetValue(i));
        }

        return dense;
    }

    IEnumerator<T> IEnumerable<T>.GetEnumerator()
    {
        for (int i = 0; i < Length; i++)
        {
            yield return GetValue(i);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<T>)this).GetEnumerator();

    internal override OrtValue ToOrtValue() => ToDenseTensor().ToOrtValue();

    private int IndexOf(ReadOnlySpan<int> indices)
    {
        if (indices.Length != Rank)
        {
            throw new ArgumentException($"A tensor of rank {Rank} is indexed by {indices.Length} numbers", nameof(indices));
        }

        int index = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)_dimensions[i])
            {
                throw new IndexOutOfRangeException($"Index {indices[i]} is outside of dimension {i}, whose size is {_dimensions[i]}");
            }

            index += _strides[i] * indices[i];
        }

        return index;
    }
}
