using TorchSharp.Interop;
using TorchSharp.Modules;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class nn
    {
        public static partial class utils
        {
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2)
            {
                double total;
                nint[] handles = Handles.Of(tensors);
                fixed (nint* pointer = handles)
                {
                    NativeMethods.Check(NativeMethods.ts_clip_grad_norm(pointer, handles.Length, max_norm, norm_type, &total));
                }

                GC.KeepAlive(tensors);
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                nint[] handles = Handles.Of(tensors);
                fixed (nint* pointer = handles)
                {
                    NativeMethods.Check(NativeMethods.ts_clip_grad_value(pointer, handles.Length, clip_value));
                }

                GC.KeepAlive(tensors);
            }
        }
    }
}
