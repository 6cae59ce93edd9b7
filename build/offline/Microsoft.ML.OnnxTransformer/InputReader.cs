using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Makes a tensor of a column of the current row.</summary>
internal static class InputReader
{
    public static Func<NamedOnnxValue> Make(DataViewRow row, DataViewSchema.Column column, int[] shape) => GenericCall.Static<Func<NamedOnnxValue>>(
        typeof(InputReader),
        column.Type is VectorDataViewType ? nameof(MakeVector) : nameof(MakeScalar),
        [column.Type.ItemType().RawType],
        row,
        column,
        shape);

    // Whatever its declared shape, a scalar goes to the model as a tensor of 1 by 1.
    private static Func<NamedOnnxValue> MakeScalar<T>(DataViewRow row, DataViewSchema.Column column, int[] shape)
    {
        var get = row.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            get(ref value);
            return Named(column.Name, [value], [1, 1]);
        };
    }

    private static Func<NamedOnnxValue> MakeVector<T>(DataViewRow row, DataViewSchema.Column column, int[] shape)
    {
        var get = row.GetGetter<VBuffer<T>>(column);
        bool isKnownSize = ((VectorDataViewType)column.Type).IsKnownSize;
        int unknown = Array.IndexOf(shape, 0);
        int known = shape.Where(size => size > 0).Aggregate(1, (product, size) => product * size);
        VBuffer<T> value = default;
        return () =>
        {
            get(ref value);
            int[] dimensions = [.. shape];
            if (!isKnownSize)
            {
                // As in the real package: a size that is not known on one side has to be unknown on both.
                dimensions[unknown >= 0 ? unknown : throw new ArgumentOutOfRangeException(
                    column.Name, $"The size of column '{column.Name}' differs from row to row, the model's input has shape {string.Join(",", shape)}")] =
                    value.Length / known;
            }

            return Named(column.Name, [.. value.DenseValues()], dimensions);
        };
    }

    private static NamedOnnxValue Named<T>(string name, T[] values, int[] dimensions) => values is ReadOnlyMemory<char>[] texts
        ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(Array.ConvertAll(texts, text => text.ToString()), dimensions))
        : NamedOnnxValue.CreateFromTensor(name, new DenseTensor<T>(values, dimensions));
}
