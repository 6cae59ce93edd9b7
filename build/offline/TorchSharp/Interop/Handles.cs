namespace TorchSharp.Interop;

/// <summary>Native handles of lists of tensors, for entry points that take several tensors at once.</summary>
internal static class Handles
{
    internal static nint[] Of(IEnumerable<Tensor?>? tensors)
        => tensors is null ? [] : [.. tensors.Select(tensor => tensor is null ? 0 : tensor.Handle)];
}
