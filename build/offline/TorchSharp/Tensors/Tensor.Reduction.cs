using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor sum(ScalarType? type = null) => Operator.Call("sum", this, type);

        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => Sum([dim], keepdim, type);

        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => Sum([dim0, dim1], keepdim, type);

        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null)
            => Sum([dim0, dim1, dim2], keepdim, type);

        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Sum(dim, keepdim, type);

        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => Sum(dim.ToArray(), keepdim, type);

        public Tensor mean() => Operator.Call("mean", this);

        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null)
            => Operator.Call("mean.dim", this, dimensions, keepdim, type);

        public Tensor prod(ScalarType? type = null) => Operator.Call("prod", this, type);

        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null)
            => Operator.Call("prod.dim_int", this, dim, keepdim, type);

        public Tensor var(bool unbiased = true) => Operator.Call("var", this, unbiased);

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
            => var([dim], unbiased, keepdim, type);

        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
            => Cast(Operator.Call("var.dim", this, dimensions, unbiased, keepdim), type);

        public Tensor std(bool unbiased = true) => Operator.Call("std", this, unbiased);

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
            => std([dim], unbiased, keepdim, type);

        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
            => Cast(Operator.Call("std.dim", this, dimensions, unbiased, keepdim), type);

        public Tensor max() => Operator.Call("max", this);

        public Tensor max(Tensor other) => Operator.Call("max.other", this, other);

        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Operator.CallPair("max.dim", this, dim, keepdim);

        public Tensor min() => Operator.Call("min", this);

        public Tensor min(Tensor other) => Operator.Call("min.other", this, other);

        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Operator.CallPair("min.dim", this, dim, keepdim);

        public Tensor amax(params long[] dims) => Operator.Call("amax", this, dims);

        public Tensor amin(params long[] dims) => Operator.Call("amin", this, dims);

        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null)
            => @out is null ? Operator.Call("amax", this, dims, keepdim) : Operator.Call("amax.out", this, dims, keepdim, @out);

        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null)
            => @out is null ? Operator.Call("amin", this, dims, keepdim) : Operator.Call("amin.out", this, dims, keepdim, @out);

        public Tensor argmax() => Operator.Call("argmax", this);

        public Tensor argmax(long dim, bool keepdim = false) => Operator.Call("argmax", this, dim, keepdim);

        public Tensor argmin() => Operator.Call("argmin", this);

        public Tensor argmin(long dim, bool keepdim = false) => Operator.Call("argmin", this, dim, keepdim);

        public Tensor all() => Operator.Call("all", this);

        public Tensor all(long dim, bool keepdim = false) => Operator.Call("all.dim", this, dim, keepdim);

        public Tensor any() => Operator.Call("any", this);

        public Tensor any(long dim, bool keepdim = false) => Operator.Call("any.dim", this, dim, keepdim);

        public Tensor norm(float p = 2) => Operator.Call("norm.Scalar", this, (double)p);

        public Tensor norm(int dim, bool keepdim = false, float p = 2)
            => Operator.Call("norm.ScalarOpt_dim", this, (double)p, (long[])[dim], keepdim);

        public Tensor logsumexp(long dim, bool keepdim = false) => Operator.Call("logsumexp", this, (long[])[dim], keepdim);

        public Tensor cumsum(long dim, ScalarType? type = null) => Operator.Call("cumsum", this, dim, type);

        public Tensor count_nonzero(long[]? dims = null)
            => dims is null ? Operator.Call("count_nonzero", this) : Operator.Call("count_nonzero.dim_IntList", this, dims);

        public Tensor median() => Operator.Call("median", this);

        public (Tensor values, Tensor indices) kthvalue(long k, long? dim, bool keepdim = false)
            => Operator.CallPair("kthvalue", this, k, dim ?? -1, keepdim);

        public (Tensor values, Tensor indices) topk(int k, int dim = -1, bool largest = true, bool sorted = true)
            => Operator.CallPair("topk", this, (long)k, (long)dim, largest, sorted);

        public (Tensor values, Tensor indices) sort(long dim = -1, bool descending = false, bool stable = false)
            => Operator.CallPair("sort.stable", this, stable, dim, descending);

        public Tensor argsort(long dim = -1, bool descending = false) => Operator.Call("argsort", this, dim, descending);

        private static Tensor Cast(Tensor result, ScalarType? type)
            => type is { } dtype ? result.to_type(dtype, disposeAfter: true) : result;

        private Tensor Sum(long[] dimensions, bool keepdim, ScalarType? type)
            => Operator.Call("sum.dim_IntList", this, dimensions, keepdim, type);
    }
}
