using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor add(Tensor target) => Operator.Call("add.Tensor", this, target);

        public Tensor add(Scalar scalar) => Operator.Call("add.Scalar", this, scalar);

        public Tensor add_(Tensor target) => Change("add_.Tensor", this, target);

        public Tensor add_(Scalar scalar) => Change("add_.Scalar", this, scalar);

        public Tensor sub(Tensor target) => Operator.Call("sub.Tensor", this, target);

        public Tensor sub(Scalar target) => Operator.Call("sub.Scalar", this, target);

        public Tensor sub_(Tensor target) => Change("sub_.Tensor", this, target);

        public Tensor sub_(Scalar target) => Change("sub_.Scalar", this, target);

        public Tensor mul(Tensor target) => Operator.Call("mul.Tensor", this, target);

        public Tensor mul(Scalar target) => Operator.Call("mul.Scalar", this, target);

        public Tensor mul_(Tensor target) => Change("mul_.Tensor", this, target);

        public Tensor mul_(Scalar target) => Change("mul_.Scalar", this, target);

        public Tensor add(Tensor target, Scalar alpha) => Operator.Call("add.Tensor", this, target, alpha);

        public Tensor add(Scalar scalar, Scalar alpha) => Operator.Call("add.Scalar", this, scalar, alpha);

        public Tensor add_(Tensor target, Scalar alpha) => Change("add_.Tensor", this, target, alpha);

        public Tensor add_(Scalar scalar, Scalar alpha) => Change("add_.Scalar", this, scalar, alpha);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
            => Operator.Call("div.Tensor_mode", this, target, Rounding(rounding_mode));

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
            => Operator.Call("div.Scalar_mode", this, target, Rounding(rounding_mode));

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
            => Change("div_.Tensor_mode", this, target, Rounding(rounding_mode));

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
            => Change("div_.Scalar_mode", this, target, Rounding(rounding_mode));

        public Tensor pow(Tensor exponent) => Operator.Call("pow.Tensor_Tensor", this, exponent);

        public Tensor pow(Scalar exponent) => Operator.Call("pow.Tensor_Scalar", this, exponent);

        public Tensor pow_(Tensor exponent) => Change("pow_.Tensor", this, exponent);

        public Tensor pow_(Scalar exponent) => Change("pow_.Scalar", this, exponent);

        public Tensor remainder(Tensor target) => Operator.Call("remainder.Tensor", this, target);

        public Tensor remainder(Scalar scalar) => Operator.Call("remainder.Scalar", this, scalar);

        public Tensor fmod(Tensor target) => Operator.Call("fmod.Tensor", this, target);

        public Tensor maximum(Tensor other) => Operator.Call("maximum", this, other);

        public Tensor minimum(Tensor other) => Operator.Call("minimum", this, other);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Operator.Call("clamp", this, min, max);

        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Operator.Call("clamp.Tensor", this, min, max);

        public Tensor clamp_min(Scalar min) => Operator.Call("clamp_min", this, min);

        public Tensor clamp_max(Scalar max) => Operator.Call("clamp_max", this, max);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Operator.Call("addcmul", this, tensor1, tensor2, value);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Operator.Call("addcdiv", this, tensor1, tensor2, value);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Operator.Call("addcdiv", this, tensor1, tensor2);

        public Tensor lerp(Tensor end, Tensor weight) => Operator.Call("lerp.Tensor", this, end, weight);

        public Tensor masked_fill(Tensor mask, Scalar value) => Operator.Call("masked_fill.Scalar", this, mask, value);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Change("clamp_", this, min, max);

        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Change("clamp_.Tensor", this, min, max);

        public Tensor clamp_min_(Scalar min) => Change("clamp_min_", this, min);

        public Tensor clamp_max_(Scalar max) => Change("clamp_max_", this, max);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Change("addcmul_", this, tensor1, tensor2, value);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Change("addcdiv_", this, tensor1, tensor2, value);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => Change("addcdiv_", this, tensor1, tensor2);

        public Tensor lerp_(Tensor end, Tensor weight) => Change("lerp_.Tensor", this, end, weight);

        public Tensor masked_fill_(Tensor mask, Scalar value) => Change("masked_fill_.Scalar", this, mask, value);

        public Tensor zero_() => Change("zero_", this);

        public Tensor fill_(Scalar value) => Change("fill_.Scalar", this, value);

        public Tensor matmul(Tensor target) => Operator.Call("matmul", this, target);

        public Tensor mm(Tensor target) => Operator.Call("mm", this, target);

        public Tensor bmm(Tensor batch2) => Operator.Call("bmm", this, batch2);

        public Tensor dot(Tensor target) => Operator.Call("dot", this, target);

        public Tensor outer(Tensor vec2) => Operator.Call("outer", this, vec2);

        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1)
            => Operator.Call("addmm", this, mat1, mat2, (double)beta, (double)alpha);

        public Tensor addmm_(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1)
            => Change("addmm_", this, mat1, mat2, (double)beta, (double)alpha);

        private static Argument Rounding(RoundingMode mode) => mode == RoundingMode.None ? default(Argument) : mode.ToString();
    }
}
