namespace TorchSharp.Modules
{
    public sealed class BatchNorm2d : nn.Module<Tensor, Tensor>
    {
        private readonly double _eps;
        private readonly double _momentum;
        private Parameter? _weight;
        private Parameter? _bias;
        private Tensor? _runningMean;
        private Tensor? _runningVar;

        internal BatchNorm2d(long features, double eps, double momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm2d))
        {
            _eps = eps;
            _momentum = momentum;
            if (affine)
            {
                _weight = Own(nameof(weight), ones(features, dtype, device));
                _bias = Own(nameof(bias), zeros(features, dtype, device));
            }

            if (track_running_stats)
            {
                _runningMean = OwnBuffer(nameof(running_mean), zeros(features, dtype, device));
                _runningVar = OwnBuffer(nameof(running_var), ones(features, dtype, device));
                num_batches_tracked = OwnBuffer(nameof(num_batches_tracked), zeros([], ScalarType.Int64, device));
            }
        }

        public Parameter? weight
        {
            get => _weight;
            set => Exchange(nameof(weight), ref _weight, value);
        }

        public Parameter? bias
        {
            get => _bias;
            set => Exchange(nameof(bias), ref _bias, value);
        }

        public Tensor? running_mean
        {
            get => _runningMean;
            set => ExchangeBuffer(nameof(running_mean), ref _runningMean, value);
        }

        public Tensor? running_var
        {
            get => _runningVar;
            set => ExchangeBuffer(nameof(running_var), ref _runningVar, value);
        }

        public Tensor? num_batches_tracked { get; }

        public override Tensor forward(Tensor tensor)
        {
            if (tensor.dim() is not (4))
            {
                throw new ArgumentException($"Expected an input of 4 dimensions for BatchNorm2d, found {tensor.dim()}.");
            }

            if (training)
            {
                num_batches_tracked?.add_(1);
            }

            return nn.functional.batch_norm(tensor, running_mean!, running_var!, _weight, _bias, training || running_mean is null, _momentum, _eps);
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.BatchNorm2d BatchNorm2d(long features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) => new(features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}
