namespace TorchSharp.Modules
{
    public sealed class Linear : nn.Module<Tensor, Tensor>
    {
        private Parameter? _weight;
        private Parameter? _bias;

        internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(Linear))
        {
            _weight = Own(nameof(weight), empty(outputSize, inputSize, dtype, device));
            nn.init.kaiming_uniform_(_weight, Math.Sqrt(5));
            if (hasBias)
            {
                double bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
                _bias = Own(nameof(bias), empty(outputSize, dtype, device));
                nn.init.uniform_(_bias, -bound, bound);
            }
        }

        public Parameter weight
        {
            get => _weight!;
            set => Exchange(nameof(weight), ref _weight, value);
        }

        public Parameter? bias
        {
            get => _bias;
            set => Exchange(nameof(bias), ref _bias, value);
        }

        public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, _weight!, _bias);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, outputSize, hasBias, device, dtype);
        }
    }
}
