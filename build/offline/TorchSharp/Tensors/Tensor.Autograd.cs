using TorchSharp.Interop;

namespace TorchSharp;

public static unsafe partial class torch
{
    public partial class Tensor
    {
        public bool requires_grad
        {
            get => Describe().RequiresGrad != 0;
            set
            {
                NativeMethods.Check(NativeMethods.ts_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        public Tensor? grad
        {
            get
            {
                nint gradient;
                NativeMethods.Check(NativeMethods.ts_grad(Handle, &gradient));
                GC.KeepAlive(this);
                return gradient == 0 ? null : new Tensor(gradient);
            }

            set
            {
                NativeMethods.Check(NativeMethods.ts_set_grad(Handle, value is null ? 0 : value.Handle));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public void retain_grad()
        {
            NativeMethods.Check(NativeMethods.ts_retain_grad(Handle));
            GC.KeepAlive(this);
        }

        public Tensor detach() => Operator.Call("detach", this);

        public Tensor detach_() => Change("detach_", this);

        public void backward()
        {
            nint handle = Handle;
            NativeMethods.Check(NativeMethods.ts_backward(&handle, 1, null, 0, 0, 0, null, 0));
            GC.KeepAlive(this);
        }

        // The names of the two flags are the wrong way round in this version of the package; their positions are PyTorch's.
        public void backward(IList<Tensor>? grad_tensors = null, bool create_graph = false, bool retain_graph = false, IList<Tensor>? inputs = null)
            => autograd.backward([this], grad_tensors, retain_graph: create_graph, create_graph: retain_graph, inputs);
    }
}
