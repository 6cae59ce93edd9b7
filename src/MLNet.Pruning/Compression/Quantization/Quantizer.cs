using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Data;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>
/// What a network's weights, and the values between its layers, are rounded to: integers with a scale, or shorter floats. A quantised network is smaller on
/// disk, and where ONNX Runtime has kernels for its integers faster.
/// </summary>
/// <example><code>
/// var pipeline = ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(784, 300, 100, 10))
///     .Append(ml.Transforms.Quantize(Quantizer.Int8()));
/// </code></example>
public abstract class Quantizer : TrainableQuantizer
{
    private protected Quantizer()
    {
    }

    /// <summary>
    /// Weights stored as 16-bit floats (IEEE 754 binary16), rounded to nearest; values beyond 65,504 are refused. The file halves. ONNX Runtime widens
    /// them when it loads the file and computes in 32 bits, so that neither memory nor time change on a CPU.
    /// </summary>
    public static Quantizer Float16 { get; } = new Float16Quantizer();

    /// <summary>
    /// Weights of three values, -s, 0 and s, with a scale a layer that makes the squared error least (Li et al. 2016, "Ternary Weight Networks").
    /// </summary>
    public static Quantizer Ternary { get; } = new TernaryQuantizer();

    /// <summary>
    /// Weights of two values, -s and s, where s is the mean magnitude of the channel (Rastegari et al. 2016, "XNOR-Net"). Pruned weights cannot stay zero, so
    /// that a chain refuses it behind a pruning that masks.
    /// </summary>
    public static Quantizer Binary { get; } = new BinaryQuantizer();

    /// <summary>
    /// Static 8-bit integers: dense layers and convolutions multiply bytes, with ranges of the values between layers measured on calibration rows. Weights are
    /// symmetric with a scale a channel, activations bytes with a zero point, biases 32-bit integers, as QuantizeLinear and DequantizeLinear
    /// around each layer, which ONNX Runtime fuses (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
    /// Integer-Arithmetic-Only Inference").
    /// </summary>
    /// <param name="perChannel">Whether each output of a layer has a scale of its own; else one a layer.</param>
    /// <param name="signed">
    /// Whether activations are signed bytes, for runtimes that take no others; else unsigned ones. They stand for the same values: the zero point is less by
    /// 128, and so behind a Relu the least byte there is, which ONNX Runtime fuses. On x64 it fuses no sums of signed bytes: networks with residual sums are
    /// faster with unsigned ones.
    /// </param>
    public static Quantizer Int8(bool perChannel = true, bool signed = false) => new Int8Quantizer(perChannel, signed);

    /// <summary>
    /// Dynamic 8-bit integers, of dense layers alone: the range of what a layer reads is measured on each batch as it comes, so that no calibration rows are
    /// needed, and the score of a row depends a little on the rows that are scored with it. Convolutions stay floats, since ONNX Runtime has no fast kernel
    /// for them.
    /// </summary>
    /// <param name="perChannel">Whether each output of a layer has a scale of its own; else one a layer.</param>
    public static Quantizer DynamicInt8(bool perChannel = true) => new DynamicInt8Quantizer(perChannel);

    /// <summary>
    /// Weights alone as integers of so many bits with a scale a channel; layers compute in floats. For size, not for speed. With a block, dense layers have
    /// a scale for each block of inputs, and files hold them as ONNX Runtime's MatMulNBits, which reads fewer bytes and multiplies 8-bit integers: faster
    /// than floats for one row at a time, slower for many.
    /// </summary>
    /// <param name="bits">2 to 8; with a block 4 or 8. Files hold 2 bits in 2, 3 and 4 in 4, and more in 8.</param>
    /// <param name="symmetric">Whether the range is as wide below zero as above, so that zero points are 0; else it is as the weights of a scale lie.</param>
    /// <param name="block">Inputs of a dense layer that share a scale: 16, 32, 64, 128 or 256; or 0, by default, for a scale a channel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Quantizer Weights(int bits, bool symmetric = true, int block = 0)
    {
        if (bits is < 2 or > 8)
        {
            throw new ArgumentOutOfRangeException(nameof(bits), bits, "Weights are quantised to 2 to 8 bits; of 1 bit to Quantizer.Binary.");
        }

        if (block is not (0 or 16 or 32 or 64 or 128 or 256))
        {
            throw new ArgumentOutOfRangeException(nameof(block), block, "Inputs that share a scale are 16, 32, 64, 128 or 256, or 0 for all of a channel.");
        }

        return block == 0 || bits is 4 or 8 ? new WeightQuantizer(bits, symmetric, block)
            : throw new ArgumentOutOfRangeException(nameof(bits), bits, "Weights with a scale for each block of inputs are quantised to 4 or 8 bits.");
    }

    /// <summary>
    /// Mixed precision: each layer in the form that loses least for what it saves, by the loss on validation rows, until the budget is kept: the largest file
    /// of at most so many bytes, the first network that takes at most so many milliseconds, or, with a limit on the loss of metric alone, the smallest file
    /// that keeps to it. In chains only.
    /// </summary>
    /// <param name="budget">Limits on <see cref="Budget.Bytes"/>, <see cref="Budget.Latency"/>, <see cref="Budget.MetricLoss"/>, or several.</param>
    /// <param name="candidates">The forms, beside floats; by default <c>Int8()</c> where time is limited, else weights of 8, 4 and 2 bits.</param>
    /// <exception cref="ArgumentException">The budget limits another cost, or there are no candidates.</exception>
    public static Quantizer Mixed(Budget budget, IReadOnlyList<Quantizer>? candidates = null) => new MixedQuantizer(budget, candidates);

    /// <summary>
    /// Weights on few values, whichever these are: by k-means for each layer, zero among them and kept for what is pruned, the others rounded to 16-bit floats
    /// (bfloat16). With <see cref="QuantizationOptions.Epochs"/> weights go to the nearest value in each step, and the values learn by the sum of the gradients
    /// of the weights that they stand for (Han et al. 2016, "Deep Compression"). Layers compute in floats: for size, not for speed.
    /// </summary>
    /// <param name="bits">1 to 8: 2^bits values, zero one of them.</param>
    /// <param name="start">Where k-means starts; by default <see cref="CodebookStart.Linear"/>.</param>
    /// <param name="rate">
    /// What a bit of an entropy coder is worth, as a share of the mean square of a layer's weights: a weight goes to the value whose squared error and price
    /// together are least, so that values of many weights draw more. Not negative; 0 for the nearest.
    /// </param>
    /// <param name="biases">Whether a layer's bias is rounded to the values of its weight.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bits"/> or <paramref name="rate"/> is out of range.</exception>
    public static Quantizer Codebook(int bits, CodebookStart? start = null, double rate = 0, bool biases = false) => bits is < 1 or > 8
        ? throw new ArgumentOutOfRangeException(nameof(bits), bits, "A codebook has values for 1 to 8 bits.")
        : rate is >= 0 and < double.PositiveInfinity ? new CodebookQuantizer(bits, start ?? CodebookStart.Linear, rate, biases)
        : throw new ArgumentOutOfRangeException(nameof(rate), rate, "What a bit is worth is a finite number of at least 0.");

    /// <summary>
    /// Dense layers whose rows are cut into parts of so many inputs, each part on few vectors by k-means (Gong et al. 2014, "Compressing Deep Convolutional
    /// Networks Using Vector Quantization"; J&#233;gou et al. 2011, "Product Quantization for Nearest Neighbor Search"), whose values are rounded to 16-bit
    /// floats. With <see cref="QuantizationOptions.Epochs"/> the vectors learn, each by the sum of the gradients of the parts that it stands for, while parts
    /// keep their vectors (Stock et al. 2020, "And the Bit Goes Down: Revisiting the Quantization of Neural Networks"). Layers compute in floats: for size, not
    /// for speed. Pruned weights do not stay zero, so that a chain refuses it behind a pruning that masks. Layers of another form, or whose inputs are no
    /// multiple of the length, stay as they are.
    /// </summary>
    /// <param name="codewords">Vectors for each part, 2 to 256; a file holds each place in a byte.</param>
    /// <param name="length">Inputs in a part; at least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Quantizer Product(int codewords = 16, int length = 4) => codewords is < 2 or > 256
        ? throw new ArgumentOutOfRangeException(nameof(codewords), codewords, "A part of rows has 2 to 256 vectors.")
        : length >= 2 ? new ProductQuantizer(codewords, length)
        : throw new ArgumentOutOfRangeException(nameof(length), length, "A vector has at least 2 values.");

    /// <summary>The network prepared as the step says, and quantised.</summary>
    internal Network Quantize(Network network, QuantizationStep step)
    {
        var prepared = step.Preparation?.Prepare(network, step) ?? network;
        var quantized = Run(prepared, step);
        return step.Preparation is { CorrectsBiases: true } ? BiasCorrection.Run(prepared, quantized, step) : quantized;
    }

    internal sealed override TrainingResult Train(Network network, TrainingData rows, int seed, CancellationToken cancellation,
        Func<Network, Func<Network, Network>, TrainingResult> train)
    {
        // Steps are learned: those of two and three bits start best where the squared error is least.
        var step = new QuantizationStep { Rows = rows, Seed = seed, WeightRange = QuantizationRange.MeanSquaredError, CancellationToken = cancellation };
        var (result, learned) = FakeQuantization.Train(Trained(network, step), train);
        return result with { Network = learned.Network, Steps = learned with { Quantizer = this } };
    }

    /// <summary>What is to be rounded to what in training.</summary>
    /// <exception cref="ArgumentException">It is no grid of integers that could be trained.</exception>
    internal QuantizationPlan Trained(Network network, QuantizationStep step) => Plan(network, step) ?? throw new ArgumentException($"{this} is not trained: "
        + "take Quantizer.Int8 or symmetric Quantizer.Weights, or leave out the training that rounds.");

    /// <summary>The network quantised as it is.</summary>
    internal abstract Network Run(Network network, QuantizationStep step);

    /// <summary>What is to be rounded to what; null where that is no grid of integers that could be trained.</summary>
    internal virtual QuantizationPlan? Plan(Network network, QuantizationStep step) => null;

    /// <summary>What a training that rounds gave, and the network quantised after it.</summary>
    /// <param name="network">The network of floats.</param>
    /// <param name="step">How.</param>
    /// <param name="train">Trains a network; measures beside it what it is without rounding.</param>
    /// <exception cref="ArgumentException">It rounds to nothing that is trained, or no layer of the network.</exception>
    internal virtual (TrainingResult Result, Network Quantized) Train(Network network, QuantizationStep step,
        Func<Network, Func<Network, Network>, TrainingResult> train)
    {
        var (result, learned) = FakeQuantization.Train(Trained(network, step), train);
        return (result, learned.Write(step));
    }
}
