using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor T => Operator.Call("t", this);

        public Tensor mT => transpose(-2, -1);

        public Tensor view(params long[] shape) => Operator.Call("view", this, shape);

        public Tensor view_as(Tensor other) => view(other.shape);

        public Tensor reshape(params long[] shape) => Operator.Call("reshape", this, shape);

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Operator.Call("flatten.using_ints", this, start_dim, end_dim);

        public Tensor ravel() => Operator.Call("ravel", this);

        public Tensor transpose(long dim0, long dim1) => Operator.Call("transpose.int", this, dim0, dim1);

        public Tensor t() => Operator.Call("t", this);

        public Tensor permute(params long[] permutation) => Operator.Call("permute", this, permutation);

        public Tensor squeeze(long? dim = null)
            => dim is { } only ? Operator.Call("squeeze.dim", this, only) : Operator.Call("squeeze", this);

        public Tensor unsqueeze(long dim) => Operator.Call("unsqueeze", this, dim);

        public Tensor unflatten(long dim, params long[] sizes) => Operator.Call("unflatten.int", this, dim, sizes);

        public Tensor expand(params long[] sizes) => Operator.Call("expand", this, sizes);

        public Tensor expand_as(Tensor other) => expand(other.shape);

        public Tensor repeat(params long[] sizes) => Operator.Call("repeat", this, sizes);

        public Tensor flip(params long[] dims) => Operator.Call("flip", this, dims);

        public Tensor roll(long[] shifts, long[] dims) => Operator.Call("roll", this, shifts, dims);

        public Tensor tril(long diagonal = 0) => Operator.Call("tril", this, diagonal);

        public Tensor triu(long diagonal = 0) => Operator.Call("triu", this, diagonal);

        public Tensor diag(long diagonal = 0) => Operator.Call("diag", this, diagonal);

        public Tensor narrow(long dim, long start, long length) => Operator.Call("narrow", this, dim, start, length);

        public Tensor slice(long dim, long start, long finish, long step)
            => Operator.Call("slice.Tensor", this, dim, start, finish, step);

        public Tensor select(long dim, long index) => Operator.Call("select.int", this, dim, index);

        public Tensor index_select(long dim, Tensor index) => Operator.Call("index_select", this, dim, index);

        public Tensor masked_select(Tensor mask) => Operator.Call("masked_select", this, mask);

        public Tensor gather(long dim, Tensor index) => Operator.Call("gather", this, dim, index);

        public Tensor scatter(long dim, Tensor index, Tensor src) => Operator.Call("scatter.src", this, dim, index, src);

        public Tensor scatter_(long dim, Tensor index, Tensor src) => Change("scatter_.src", this, dim, index, src);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) => Change("index_copy_", this, dim, index, source);

        public Tensor index_fill_(long dim, Tensor index, Scalar value) => Change("index_fill_.int_Scalar", this, dim, index, value);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha)
            => Change("index_add_", this, dim, index, source, alpha);

        public Tensor nonzero() => Operator.Call("nonzero", this);

        public Tensor[] unbind(long dimension = 0) => Operator.CallMany("unbind.int", this, dimension);

        public Tensor[] chunk(long chunks, long dim = 0) => Operator.CallMany("chunk", this, chunks, dim);

        public Tensor[] split(long size, int dim = 0) => Operator.CallMany("split.Tensor", this, size, (long)dim);

        public Tensor[] split(long[] sizes, long dim = 0) => Operator.CallMany("split_with_sizes", this, sizes, dim);
    }
}
