using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => Operator.Call("eq.Tensor", this, target);

        public Tensor eq(Scalar target) => Operator.Call("eq.Scalar", this, target);

        public Tensor eq_(Tensor target) => Change("eq_.Tensor", this, target);

        public Tensor eq_(Scalar target) => Change("eq_.Scalar", this, target);

        public Tensor ne(Tensor target) => Operator.Call("ne.Tensor", this, target);

        public Tensor ne(Scalar target) => Operator.Call("ne.Scalar", this, target);

        public Tensor ne_(Tensor target) => Change("ne_.Tensor", this, target);

        public Tensor ne_(Scalar target) => Change("ne_.Scalar", this, target);

        public Tensor lt(Tensor target) => Operator.Call("lt.Tensor", this, target);

        public Tensor lt(Scalar target) => Operator.Call("lt.Scalar", this, target);

        public Tensor lt_(Tensor target) => Change("lt_.Tensor", this, target);

        public Tensor lt_(Scalar target) => Change("lt_.Scalar", this, target);

        public Tensor le(Tensor target) => Operator.Call("le.Tensor", this, target);

        public Tensor le(Scalar target) => Operator.Call("le.Scalar", this, target);

        public Tensor le_(Tensor target) => Change("le_.Tensor", this, target);

        public Tensor le_(Scalar target) => Change("le_.Scalar", this, target);

        public Tensor gt(Tensor target) => Operator.Call("gt.Tensor", this, target);

        public Tensor gt(Scalar target) => Operator.Call("gt.Scalar", this, target);

        public Tensor gt_(Tensor target) => Change("gt_.Tensor", this, target);

        public Tensor gt_(Scalar target) => Change("gt_.Scalar", this, target);

        public Tensor ge(Tensor target) => Operator.Call("ge.Tensor", this, target);

        public Tensor ge(Scalar target) => Operator.Call("ge.Scalar", this, target);

        public Tensor ge_(Tensor target) => Change("ge_.Tensor", this, target);

        public Tensor ge_(Scalar target) => Change("ge_.Scalar", this, target);

        public Tensor logical_and(Tensor other) => Operator.Call("logical_and", this, other);

        public Tensor logical_and_(Tensor other) => Change("logical_and_", this, other);

        public Tensor logical_or(Tensor other) => Operator.Call("logical_or", this, other);

        public Tensor logical_or_(Tensor other) => Change("logical_or_", this, other);

        public Tensor logical_xor(Tensor other) => Operator.Call("logical_xor", this, other);

        public Tensor logical_xor_(Tensor other) => Change("logical_xor_", this, other);

        public Tensor logical_not() => Operator.Call("logical_not", this);

        public Tensor logical_not_() => Change("logical_not_", this);

        public Tensor where(Tensor condition, Tensor y) => Operator.Call("where.self", condition, this, y);

        public Tensor isclose(Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false)
            => Operator.Call("isclose", this, other, rtol, atol, nanEqual);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false)
            => Operator.CallBoolean("allclose", this, target, rtol, atol, equal_nan);
    }
}
