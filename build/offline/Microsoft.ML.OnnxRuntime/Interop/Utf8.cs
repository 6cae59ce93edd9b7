using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime.Interop;

/// <summary>Strings as C has them.</summary>
internal static unsafe class Utf8
{
    /// <summary>The bytes of a text and the zero that ends it.</summary>
    public static byte[] Bytes(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    public static string ToString(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>A text that the runtime allocated for the caller, who frees it.</summary>
    public static string Take(byte* text)
    {
        try
        {
            return ToString(text);
        }
        finally
        {
            NativeApi.Check(NativeApi.AllocatorFree(OrtAllocator.DefaultPointer, text));
        }
    }
}
