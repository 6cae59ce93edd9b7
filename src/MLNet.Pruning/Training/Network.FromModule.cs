namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// A network from a TorchSharp Sequential, with its weights. Layers are named as in the module: <c>features.0</c>. TorchSharp does
    /// not tell a module's settings: they are found by running it on random rows of the shape given, without changing it. The momentum of
    /// batch normalisation, which matters in training only, cannot be found: PyTorch's default of 0.1 is taken.
    /// </summary>
    /// <param name="module">
    /// Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d (to 1), Flatten, Dropout, ReLU, LeakyReLU, GELU,
    /// SiLU, Tanh, Sigmoid, Softmax, Identity, and Sequentials of these. It stays as it is, and may be disposed afterwards.
    /// </param>
    /// <param name="inputShape">Shape of one row: <c>[features]</c>, or <c>[channels, height, width]</c> for images.</param>
    /// <returns>The network, which computes what the module computes when it is not trained.</returns>
    /// <exception cref="NotSupportedException">A module or a setting of it is not one of these; the message names it.</exception>
    public static Network FromModule(TorchSharp.Modules.Sequential module, params ReadOnlySpan<int> inputShape)
    {
        ArgumentNullException.ThrowIfNull(module);
        return ModuleReader.Read(module, inputShape.ToArray());
    }
}
