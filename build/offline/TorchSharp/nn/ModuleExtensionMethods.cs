namespace TorchSharp;

public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, Device device, bool non_blocking = false)
        where T : nn.Module => Move(module, null, device);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Move(module, null, new Device(deviceType, deviceIndex));

    public static T to<T>(this T module, Device device, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Move(module, type, device);

    public static T to<T>(this T module, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Move(module, type, null);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : nn.Module => Move(module, null, CPU);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Move(module, null, new Device(DeviceType.CUDA, deviceIndex));

    private static T Move<T>(T module, ScalarType? type, Device? device)
        where T : nn.Module
    {
        if (type is { } dtype && !is_floating_point(dtype))
        {
            throw new ArgumentException($"nn.Module.to only accepts floating point or complex types, but got desired dtype={dtype}");
        }

        module.Convert(type, device);
        return module;
    }
}
