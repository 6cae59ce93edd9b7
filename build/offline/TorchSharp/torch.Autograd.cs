using TorchSharp.Interop;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static bool is_grad_enabled() => NativeMethods.ts_grad_enabled() != 0;

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static bool is_inference_mode_enabled() => NativeMethods.ts_inference_mode_enabled() != 0;

    // Both modes are a thread's own: they end on the thread they began on.
    private sealed class GradMode : IDisposable
    {
        private readonly int _previous;

        internal GradMode(bool enabled)
        {
            _previous = NativeMethods.ts_grad_enabled();
            NativeMethods.ts_set_grad_enabled(enabled ? 1 : 0);
        }

        public void Dispose() => NativeMethods.ts_set_grad_enabled(_previous);
    }

    private sealed class InferenceMode : IDisposable
    {
        private nint _guard;

        internal InferenceMode(bool mode) => _guard = NativeMethods.ts_inference_mode_enter(mode ? 1 : 0);

        public void Dispose()
        {
            nint guard = Interlocked.Exchange(ref _guard, 0);
            if (guard != 0)
            {
                NativeMethods.ts_inference_mode_leave(guard);
            }
        }
    }

    public static partial class autograd
    {
        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            nint[] roots = Handles.Of(tensors);
            nint[] gradients = Handles.Of(grad_tensors);
            nint[] leaves = Handles.Of(inputs);
            fixed (nint* r = roots, g = gradients, l = leaves)
            {
                NativeMethods.Check(NativeMethods.ts_backward(r, roots.Length, g, gradients.Length,
                    retain_graph ?? create_graph ? 1 : 0, create_graph ? 1 : 0, l, leaves.Length));
            }

            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
            => backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static IList<Tensor?> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            nint[] o = Handles.Of(outputs);
            nint[] i = Handles.Of(inputs);
            nint[] g = Handles.Of(grad_outputs);
            var results = new nint[inputs.Count];
            fixed (nint* po = o, pi = i, pg = g, pr = results)
            {
                NativeMethods.Check(NativeMethods.ts_autograd_grad(po, o.Length, pi, i.Length, pg, g.Length, retain_graph ? 1 : 0,
                    create_graph ? 1 : 0, allow_unused ? 1 : 0, pr));
            }

            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            return [.. results.Select(handle => handle == 0 ? null : new Tensor(handle))];
        }
    }
}
