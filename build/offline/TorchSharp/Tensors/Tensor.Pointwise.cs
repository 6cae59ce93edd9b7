using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor abs() => Operator.Call("abs", this);

        public Tensor abs_() => Change("abs_", this);

        public Tensor neg() => Operator.Call("neg", this);

        public Tensor neg_() => Change("neg_", this);

        public Tensor sqrt() => Operator.Call("sqrt", this);

        public Tensor sqrt_() => Change("sqrt_", this);

        public Tensor rsqrt() => Operator.Call("rsqrt", this);

        public Tensor rsqrt_() => Change("rsqrt_", this);

        public Tensor exp() => Operator.Call("exp", this);

        public Tensor exp_() => Change("exp_", this);

        public Tensor log() => Operator.Call("log", this);

        public Tensor log_() => Change("log_", this);

        public Tensor log2() => Operator.Call("log2", this);

        public Tensor log2_() => Change("log2_", this);

        public Tensor log10() => Operator.Call("log10", this);

        public Tensor log10_() => Change("log10_", this);

        public Tensor log1p() => Operator.Call("log1p", this);

        public Tensor log1p_() => Change("log1p_", this);

        public Tensor expm1() => Operator.Call("expm1", this);

        public Tensor expm1_() => Change("expm1_", this);

        public Tensor sigmoid() => Operator.Call("sigmoid", this);

        public Tensor sigmoid_() => Change("sigmoid_", this);

        public Tensor tanh() => Operator.Call("tanh", this);

        public Tensor tanh_() => Change("tanh_", this);

        public Tensor relu() => Operator.Call("relu", this);

        public Tensor relu_() => Change("relu_", this);

        public Tensor sign() => Operator.Call("sign", this);

        public Tensor sign_() => Change("sign_", this);

        public Tensor reciprocal() => Operator.Call("reciprocal", this);

        public Tensor reciprocal_() => Change("reciprocal_", this);

        public Tensor floor() => Operator.Call("floor", this);

        public Tensor floor_() => Change("floor_", this);

        public Tensor ceil() => Operator.Call("ceil", this);

        public Tensor ceil_() => Change("ceil_", this);

        public Tensor trunc() => Operator.Call("trunc", this);

        public Tensor trunc_() => Change("trunc_", this);

        public Tensor erf() => Operator.Call("erf", this);

        public Tensor erf_() => Change("erf_", this);

        public Tensor sin() => Operator.Call("sin", this);

        public Tensor sin_() => Change("sin_", this);

        public Tensor cos() => Operator.Call("cos", this);

        public Tensor cos_() => Change("cos_", this);

        public Tensor square() => Operator.Call("square", this);

        public Tensor silu() => Operator.Call("silu", this);

        public Tensor silu_() => Change("silu_", this);

        public Tensor hardswish() => Operator.Call("hardswish", this);

        public Tensor hardswish_() => Change("hardswish_", this);

        public Tensor hardsigmoid() => Operator.Call("hardsigmoid", this);

        public Tensor hardsigmoid_() => Change("hardsigmoid_", this);

        public Tensor relu6() => Operator.Call("relu6", this);

        public Tensor relu6_() => Change("relu6_", this);

        public Tensor gelu() => Operator.Call("gelu", this);

        public Tensor log_sigmoid() => Operator.Call("log_sigmoid", this);

        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) => Operator.Call("elu", this, alpha, scale, input_scale);

        public Tensor leaky_relu(Scalar negative_slope) => Operator.Call("leaky_relu", this, negative_slope);

        public Tensor leaky_relu_(Scalar negative_slope) => Change("leaky_relu_", this, negative_slope);

        public Tensor round(long decimals = 0) => Operator.Call("round.decimals", this, decimals);

        public Tensor round_(long decimals = 0) => Change("round_.decimals", this, decimals);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Operator.Call("softmax.int", this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Operator.Call("log_softmax.int", this, dim, dtype);

        public Tensor isnan() => Operator.Call("isnan", this);

        public Tensor isinf() => Operator.Call("isinf", this);

        public Tensor isfinite() => Operator.Call("isfinite", this);

        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null)
            => Operator.Call("nan_to_num", this, nan, posinf, neginf);
    }
}
