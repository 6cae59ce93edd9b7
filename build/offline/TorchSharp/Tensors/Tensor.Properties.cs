using TorchSharp.Interop;

namespace TorchSharp;

public static unsafe partial class torch
{
    public partial class Tensor
    {
        public long Dimensions => Describe().Dimensions;

        public long ndim => Describe().Dimensions;

        public long NumberOfElements => Describe().NumberOfElements;

        public long ElementSize => Describe().ElementSize;

        public ScalarType dtype => (ScalarType)Describe().ScalarType;

        public DeviceType device_type => (DeviceType)Describe().DeviceType;

        public int device_index => Describe().DeviceIndex;

        public Device device
        {
            get
            {
                TensorDescription description = Describe();
                return description.DeviceType == (int)DeviceType.CPU
                    ? new Device(DeviceType.CPU)
                    : new Device((DeviceType)description.DeviceType, description.DeviceIndex);
            }
        }

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_leaf => Describe().IsLeaf != 0;

        public long[] shape
        {
            get
            {
                var sizes = new long[Dimensions];
                fixed (long* pointer = sizes)
                {
                    NativeMethods.Check(NativeMethods.ts_sizes_and_strides(Handle, pointer, null));
                }

                GC.KeepAlive(this);
                return sizes;
            }
        }

        public long dim() => Dimensions;

        public long numel() => NumberOfElements;

        public long element_size() => ElementSize;

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_contiguous() => Describe().IsContiguous != 0;

        public long storage_offset() => Describe().StorageOffset;

        public long[] size() => shape;

        public long size(int dim) => shape[Wrap(dim)];

        public long[] stride()
        {
            var strides = new long[Dimensions];
            fixed (long* pointer = strides)
            {
                NativeMethods.Check(NativeMethods.ts_sizes_and_strides(Handle, null, pointer));
            }

            GC.KeepAlive(this);
            return strides;
        }

        public long stride(int dim) => stride()[Wrap(dim)];

        internal TensorDescription Describe()
        {
            TensorDescription description;
            NativeMethods.ts_describe(Handle, &description);
            GC.KeepAlive(this);
            return description;
        }

        private int Wrap(int dim)
        {
            long dims = Dimensions;
            return dim >= -dims && dim < dims
                ? (int)(dim < 0 ? dim + dims : dim)
                : throw new ArgumentOutOfRangeException(nameof(dim), dim, $"Expected a dimension of a tensor with {dims} of them.");
        }
    }
}
