namespace Microsoft.ML.OnnxRuntime.Tensors;

/// <summary>A tensor whose elements lie side by side.</summary>
public class DenseTensor<T> : Tensor<T>
{
    public DenseTensor(int length)
        : this(new T[length], [length])
    {
    }

    public DenseTensor(ReadOnlySpan<int> dimensions, bool reverseStride = false)
        : base(dimensions, reverseStride) => Buffer = new T[Length];

    public DenseTensor(Memory<T> memory, ReadOnlySpan<int> dimensions, bool reverseStride = false)
        : base(dimensions, reverseStride)
    {
        if (memory.Length != Length)
        {
            throw new ArgumentException($"Length of {nameof(memory)} ({memory.Length}) must match product of {nameof(dimensions)} ({Length}).");
        }

        Buffer = memory;
    }

    public Memory<T> Buffer { get; }

    // The memory may be that of a native value, which goes when nobody holds it.
    public override T GetValue(int index)
    {
        T value = Buffer.Span[index];
        GC.KeepAlive(this);
        return value;
    }

    public override void SetValue(int index, T value)
    {
        Buffer.Span[index] = value;
        GC.KeepAlive(this);
    }

    public override Tensor<T> Clone() => new DenseTensor<T>(Buffer.ToArray(), Dimensions, IsReversedStride);

    public override Tensor<TResult> CloneEmpty<TResult>(ReadOnlySpan<int> dimensions) => new DenseTensor<TResult>(dimensions, IsReversedStride);

    public override Tensor<T> Reshape(ReadOnlySpan<int> dimensions) => new DenseTensor<T>(Buffer, dimensions, IsReversedStride);

    internal override OrtValue ToOrtValue()
    {
        if (typeof(T) == typeof(string))
        {
            return OrtValue.CreateFromStringTensor((Tensor<string>)(object)this);
        }

        return IsReversedStride
            ? throw new NotSupportedException("Tensor of reverseStride is not supported")
            : OrtValue.CreateOver(Buffer, Array.ConvertAll(Dimensions.ToArray(), dimension => (long)dimension));
    }
}
