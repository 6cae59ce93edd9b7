using System.Text;
using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public partial class OrtValue
{
    public static OrtValue CreateTensorWithEmptyStrings(OrtAllocator allocator, long[] shape) =>
        CreateAllocatedTensorValue(allocator, TensorElementType.String, shape);

    public static OrtValue CreateFromStringTensor(Tensor<string> tensor)
    {
        if (tensor is null)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, "Expecting a valid string tensor");
        }

        OrtValue value = CreateTensorWithEmptyStrings(
            OrtAllocator.DefaultInstance, Array.ConvertAll(tensor.Dimensions.ToArray(), dimension => (long)dimension));
        try
        {
            for (int i = 0; i < tensor.Length; i++)
            {
                string text = tensor.GetValue(i)
                    ?? throw new ArgumentNullException(nameof(tensor), $"Tensor<string> contains null reference at index:{i}");
                value.StringTensorSetElementAt(text.AsSpan(), i);
            }

            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    public unsafe void StringTensorSetElementAt(ReadOnlySpan<char> str, int index)
    {
        using Lease value = CheckedString(index);
        fixed (byte* text = Utf8.Bytes(str.ToString()))
        {
            NativeApi.Check(NativeApi.FillStringTensorElement(value.Pointer, text, (nuint)index));
        }
    }

    public unsafe string GetStringElement(int index)
    {
        using Lease value = CheckedString(index);
        nuint length;
        NativeApi.Check(NativeApi.GetStringTensorElementLength(value.Pointer, (nuint)index, &length));
        byte[] text = new byte[(int)length + 1];
        fixed (byte* first = text)
        {
            NativeApi.Check(NativeApi.GetStringTensorElement(value.Pointer, length, (nuint)index, first));
        }

        return Encoding.UTF8.GetString(text, 0, (int)length);
    }

    public string[] GetStringTensorAsArray()
    {
        OrtTensorTypeAndShapeInfo info = GetTensorTypeAndShape();
        if (!info.IsString)
        {
            throw new OnnxRuntimeException(
                ErrorCode.Fail, $"GetStringTensorAsArray() is only supported for string tensors. This OrtValue contains a {info.ElementDataType} tensor.");
        }

        string[] texts = new string[info.ElementCount];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = GetStringElement(i);
        }

        return texts;
    }

    // The runtime does not look whether the tensor holds strings.
    private Lease CheckedString(int index)
    {
        if (!IsTensor)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue type contains: {OnnxType}, not a tensor");
        }

        var value = new Lease(Handle);
        try
        {
            (TensorElementType element, long count) = ElementsOf(value);
            if (element != TensorElementType.String)
            {
                throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue contains a {element} tensor, not one of strings");
            }

            return index >= 0 && index < count
                ? value
                : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"element index is out of bounds: {index} of {count}");
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }
}
