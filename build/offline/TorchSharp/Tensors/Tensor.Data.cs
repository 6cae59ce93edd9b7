using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

public static unsafe partial class torch
{
    public partial class Tensor
    {
        public Span<byte> bytes
        {
            get
            {
                TensorDescription description = Describe();
                long length = description.NumberOfElements * description.ElementSize;
                ValidateBytes(description, length);
                return new Span<byte>(DataPointer(), (int)length);
            }

            set
            {
                TensorDescription description = Describe();
                long length = description.NumberOfElements * description.ElementSize;
                ValidateBytes(description, length);
                if (length != value.Length)
                {
                    throw new ArgumentException($"Mismatched data sizes in SetBytes(): the tensor has {length} bytes, the data {value.Length}.");
                }

                value.CopyTo(new Span<byte>(DataPointer(), value.Length));
                GC.KeepAlive(this);
            }
        }

        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            ValidateType(typeof(T));
            return device_type == DeviceType.CPU ? new TensorAccessor<T>(this) : new TensorAccessor<T>(cpu());
        }

        public T item<T>()
            where T : unmanaged
        {
            if (NumberOfElements != 1)
            {
                throw new ArgumentException("Number of elements in the tensor must be 1");
            }

            ValidateType(typeof(T));
            if (device_type == DeviceType.CPU)
            {
                T value = *(T*)DataPointer();
                GC.KeepAlive(this);
                return value;
            }

            using Tensor copy = cpu();
            return copy.item<T>();
        }

        public Scalar ToScalar()
        {
            ScalarType type = dtype;
            NativeValue value = Operator.CallScalar("_local_scalar_dense", this);
            return value.Kind switch
            {
                ValueKind.Double => new Scalar(BitConverter.Int64BitsToDouble(value.Bits), ScalarType.Float64),
                ValueKind.Bool => new Scalar(value.Bits != 0),
                ValueKind.Int => new Scalar(value.Bits, ScalarType.Int64),
                _ => throw new NotSupportedException($"A tensor of {type} has no scalar here."),
            };
        }

        public float ReadCpuSingle(long i) => ReadCpuValue<float>(i);

        public double ReadCpuDouble(long i) => ReadCpuValue<double>(i);

        public int ReadCpuInt32(long i) => ReadCpuValue<int>(i);

        public long ReadCpuInt64(long i) => ReadCpuValue<long>(i);

        public bool ReadCpuBool(long i) => ReadCpuValue<bool>(i);

        public byte ReadCpuByte(long i) => ReadCpuValue<byte>(i);

        public T ReadCpuValue<T>(long i)
            where T : unmanaged
        {
            ValidateType(typeof(T));
            return new TensorAccessor<T>(this)[i];
        }

        public Tensor cpu() => to(CPU);

        public Tensor cuda(Device? device = null, bool non_blocking = false)
        {
            if (device is not null && device.type != DeviceType.CUDA)
            {
                throw new ArgumentException("Not a CUDA device.", nameof(device));
            }

            return to(device ?? new Device(DeviceType.CUDA), non_blocking: non_blocking);
        }

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(null, device, copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(null, new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(null, new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(type, null, copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(type, device, copy, disposeAfter, non_blocking);

        public Tensor to(Tensor other, bool non_blocking = false) => Convert(other.dtype, other.device, false, false, non_blocking);

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
            => Convert(type, null, copy, disposeAfter, non_blocking);

        public Tensor type(ScalarType dtype) => to_type(dtype);

        public Tensor type_as(Tensor tensor) => to_type(tensor.dtype);

        public Tensor @bool() => to_type(ScalarType.Bool);

        public Tensor @byte() => to_type(ScalarType.Byte);

        public Tensor @int() => to_type(ScalarType.Int32);

        public Tensor @long() => to_type(ScalarType.Int64);

        public Tensor @float() => to_type(ScalarType.Float32);

        public Tensor @double() => to_type(ScalarType.Float64);

        public Tensor clone() => Operator.Call("clone", this);

        public Tensor contiguous() => Operator.Call("contiguous", this);

        public Tensor alias() => Operator.Call("alias", this);

        public Tensor pin_memory() => Operator.Call("pin_memory", this);

        public bool is_pinned() => Operator.CallBoolean("is_pinned", this);

        public Tensor copy_(Tensor source, bool nonBlocking = false) => Change("copy_", this, source, nonBlocking);

        /// <summary>Gives this tensor the converted tensor's memory, gradients off; a leaf stays the leaf it is.</summary>
        internal void ConvertInPlace(ScalarType? type, Device? device)
        {
            bool gradient = requires_grad;
            using Tensor detached = detach();
            Tensor converted = detached.Convert(type, device, copy: false, disposeAfter: false, nonBlocking: false);
            converted._handle = Interlocked.Exchange(ref _handle, converted._handle);
            converted.Dispose();
            requires_grad = gradient;
        }

        internal void* DataPointer()
        {
            void* data;
            NativeMethods.Check(NativeMethods.ts_data(Handle, &data));
            return data;
        }

        internal void ValidateType(Type type)
        {
            ScalarType own = dtype;
            Type? expected = own switch
            {
                ScalarType.Byte => typeof(byte),
                ScalarType.Int8 => typeof(sbyte),
                ScalarType.Int16 => typeof(short),
                ScalarType.Int32 => typeof(int),
                ScalarType.Int64 => typeof(long),
                ScalarType.Float16 => typeof(Half),
                ScalarType.Float32 => typeof(float),
                ScalarType.Float64 => typeof(double),
                ScalarType.Bool => typeof(bool),
                _ => null,
            };
            if (type != expected)
            {
                throw new ArgumentException($"{type.Name} is not compatible with {own}");
            }
        }

        private static void ValidateBytes(TensorDescription description, long length)
        {
            if (description.IsContiguous == 0)
            {
                throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
            }

            if (length > int.MaxValue)
            {
                throw new ArgumentException("Span only supports up to int.MaxValue elements.");
            }

            if (description.DeviceType != (int)DeviceType.CPU)
            {
                throw new InvalidOperationException(
                    "Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
            }
        }

        private Tensor Convert(ScalarType? type, Device? device, bool copy, bool disposeAfter, bool nonBlocking)
        {
            if (device is not null)
            {
                InitializeDeviceType(device.type);
            }

            // dtype, layout, device, pin_memory, non_blocking, copy
            Tensor result = Operator.Call("to.dtype_layout", this, type, default, device, default, nonBlocking, copy);
            if (disposeAfter)
            {
                Dispose();
            }

            return result;
        }

        // In-place operators: this tensor is the first argument and the result.
        private Tensor Change(string name, params ReadOnlySpan<Argument> arguments)
        {
            Operator.CallInPlace(name, arguments);
            return this;
        }
    }
}
