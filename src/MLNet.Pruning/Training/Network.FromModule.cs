using MLNet.Pruning.Training;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// A network from a TorchSharp Sequential, with its weights as <see cref="float"/>. Layers are named as in the module: <c>features.0</c>.
    /// Settings and weights are read, nothing is run: what hooks would change is not seen.
    /// </summary>
    /// <param name="module">
    /// Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d (to sizes that divide), Flatten, Dropout, ReLU,
    /// LeakyReLU, GELU, SiLU, Tanh, Sigmoid, Softmax, Identity, and Sequentials of these. It may be disposed afterwards.
    /// </param>
    /// <param name="inputShape">Shape of one row: <c>[features]</c>, or <c>[channels, height, width]</c> for images.</param>
    /// <returns>The network, which computes what the module computes when it is not trained, and is trained as the module is.</returns>
    /// <exception cref="NotSupportedException">A module or a setting of it is not one of these; the message names it.</exception>
    /// <exception cref="ArgumentException">The modules do not fit the input shape, or one another.</exception>
    public static Network FromModule(TorchSharp.Modules.Sequential module, params ReadOnlySpan<int> inputShape)
    {
        ArgumentNullException.ThrowIfNull(module);
        foreach (var size in inputShape)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Array.MaxLength, nameof(inputShape));
        }

        return ModuleReader.Read(module, inputShape.ToArray());
    }
}
