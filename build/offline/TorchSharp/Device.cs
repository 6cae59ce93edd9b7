using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public class Device
    {
        public Device(string description)
        {
            string[] parts = description.Split(':');
            if (parts.Length > 2)
            {
                throw new ArgumentException($"'{description}' is no device: expected a type and possibly an index, as in 'cuda:0'.");
            }

            type = Enum.Parse<DeviceType>(parts[0], ignoreCase: true);
            index = parts.Length == 2 ? int.Parse(parts[1]) : -1;
        }

        public Device(string deviceType, int index = -1)
            : this(Enum.Parse<DeviceType>(deviceType, ignoreCase: true), index)
        {
        }

        public Device(DeviceType deviceType, int index = -1)
        {
            // libtorch's device indices are signed bytes.
            ArgumentOutOfRangeException.ThrowIfLessThan(index, -1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(index, sbyte.MaxValue);
            type = deviceType;
            this.index = index;
        }

        public Device(int index)
            : this(DeviceType.CUDA, index)
        {
        }

        public DeviceType type { get; private set; }

        public int index { get; private set; }

        public static implicit operator Device(string description) => new(description);

        public override string ToString()
        {
            string name = type.ToString().ToLowerInvariant();
            return type == DeviceType.CPU || index == -1 ? name : $"{name}:{index}";
        }
    }

    public static readonly Device CPU = new(DeviceType.CPU);
    public static readonly Device META = new(DeviceType.META);

    public static Device CUDA => InitializeDevice(new Device(DeviceType.CUDA));

    public static Device device(string description) => InitializeDevice(new Device(description));

    public static Device device(string deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));

    public static Device device(DeviceType deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));

    public static Device device(int index) => new(DeviceType.CUDA, index);

    public static Device get_default_device() => CPU;

    public static bool TryInitializeDeviceType(DeviceType deviceType)
        => deviceType is DeviceType.CPU or DeviceType.META || (deviceType == DeviceType.CUDA && cuda.is_available());

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (!TryInitializeDeviceType(deviceType))
        {
            throw new InvalidOperationException($"Torch device type {deviceType} did not initialise on the current machine.");
        }
    }

    public static Device InitializeDevice(Device? device)
    {
        device ??= get_default_device();
        InitializeDeviceType(device.type);
        return device;
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static partial class cuda
    {
        public static bool is_available() => NativeMethods.ts_cuda_is_available() != 0;

        public static bool is_cudnn_available() => NativeMethods.ts_cudnn_is_available() != 0;

        public static int device_count() => NativeMethods.ts_cuda_device_count();

        public static void manual_seed(long seed) => SeedDevices(seed, all: false);

        public static void manual_seed_all(long seed) => SeedDevices(seed, all: true);

        public static void synchronize(Device? device = null)
        {
            InitializeDeviceType(device?.type ?? DeviceType.CUDA);
            NativeMethods.Check(NativeMethods.ts_cuda_synchronize(device?.index ?? -1));
        }

        // As in PyTorch, seeding the devices of a machine without any is no error.
        private static void SeedDevices(long seed, bool all)
        {
            if (is_available())
            {
                NativeMethods.Check(NativeMethods.ts_cuda_manual_seed((ulong)seed, all ? 1 : 0));
            }
        }
    }
}
