namespace TorchSharp.Modules
{
    public abstract class Convolution : nn.Module<Tensor, Tensor>
    {
        internal Convolution(string name)
            : base(name)
        {
        }
    }

    public sealed class Conv2d : Convolution
    {
        private readonly long[] _stride;
        private readonly long[] _padding;
        private readonly long[] _dilation;
        private readonly PaddingModes _paddingMode;
        private readonly long _groups;
        private Parameter? _weight;
        private Parameter? _bias;

        internal Conv2d(long inChannels, long outChannels, (long, long) kernel, (long, long) stride, (long, long) padding, (long, long) dilation, PaddingModes paddingMode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(Conv2d))
        {
            if (groups <= 0 || inChannels % groups != 0 || outChannels % groups != 0)
            {
                throw new ArgumentException($"Expected {inChannels} input and {outChannels} output channels to divide into {groups} groups.");
            }

            _stride = [stride.Item1, stride.Item2];
            _padding = [padding.Item1, padding.Item2];
            _dilation = [dilation.Item1, dilation.Item2];
            _paddingMode = paddingMode;
            _groups = groups;
            _weight = Own(nameof(weight), empty(outChannels, inChannels / groups, kernel.Item1, kernel.Item2, dtype, device));
            nn.init.kaiming_uniform_(_weight, Math.Sqrt(5));
            if (bias)
            {
                double bound = 1 / Math.Sqrt(nn.init.CalculateFanInAndFanOut(_weight).fanIn);
                _bias = Own(nameof(this.bias), empty(outChannels, dtype, device));
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

        public override Tensor forward(Tensor input)
        {
            if (_paddingMode is PaddingModes.Zeros or PaddingModes.Constant)
            {
                return nn.functional.conv2d(input, _weight!, _bias, _stride, _padding, _dilation, _groups);
            }

            using Tensor padded = nn.functional.pad(input, (_padding[1], _padding[1], _padding[0], _padding[0]), _paddingMode);
            return nn.functional.conv2d(padded, _weight!, _bias, _stride, [0, 0], _dilation, _groups);
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Conv2d Conv2d(long in_channels, long out_channels, long kernelSize, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, (kernelSize, kernelSize), (stride, stride), (padding, padding), (dilation, dilation), padding_mode, groups, bias, device, dtype);

            public static Modules.Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null)
                => new(in_channels, out_channels, kernelSize, stride ?? (1, 1), padding ?? (0, 0), dilation ?? (1, 1), padding_mode, groups, bias, device, dtype);
        }
    }
}
