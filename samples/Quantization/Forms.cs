using Microsoft.ML;

namespace MLNet.Pruning.Samples.Quantization;

using Training = Mnist.Training;

/// <summary>Networks and the forms that each is quantised to. The first stage trains; all others start from a stage that they name.</summary>
internal static class Forms
{
    private const int Rows = 1024;
    private const int QuantizedEpochs = 4;
    private const int DenseEpochs = 10;
    private const int RemovalSteps = 3;
    private const int RemovalEpochs = 2;
    private const double LearningRate = 1e-3;
    private const double Removed = 0.7;

    public static Recipe LeNet5 { get; } = new("lenet5", Mnist.LeNet5.Weights.Network,
    [
        Mnist.LeNet5.Teacher,
        Int8("teacher"),
        .. Bits(4, "teacher"),
        .. Bits(3, "teacher"),
        Form("2-bit nearest", "teacher", new() { Quantizer = Quantizer.Weights(2), WeightRange = QuantizationRange.MeanSquaredError }),
        new("2-bit trained", QuantizedEpochs, $"weights of 2 bits, {Training.DescribeSparse(QuantizedEpochs, LearningRate)} with rounding in each pass, taught "
            + "by the network of floats", (ml, run) => Load(ml, run, "teacher").Append(ml.Transforms.Quantize(new QuantizationOptions
            {
                Quantizer = Quantizer.Weights(2),
                WeightRange = QuantizationRange.MeanSquaredError,
                Epochs = QuantizedEpochs,
                FineTuning = Training.Sparse(run, LearningRate, null, null),
                Seed = run.Seed,
            }).WithTeacher())),
    ]) { IsChain = false };

    public static Recipe LeNet300 { get; } = new("lenet300", Mnist.LeNet300.Weights.Network,
    [
        new("dense", DenseEpochs, $"784-300-100-10, {Training.Describe(DenseEpochs)}", (ml, run)
            => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Mnist.LeNet300.Weights.Network(), run, DenseEpochs, null, null))),
        Int8("dense"),
        Form("dynamic int8", "dense", new() { Quantizer = Quantizer.DynamicInt8() }),
        .. Bits(4, "dense"),
        .. Bits(3, "dense"),
        Form("4-bit blocks of 32", "dense", new() { Quantizer = Quantizer.Weights(4, block: 32) }),
    ]) { IsChain = false };

    /// <summary>Channels removed, taught by the dense network, and then integers: one after the other, and each alone.</summary>
    public static Recipe Compact { get; } = new("compact", Mnist.LeNet5.Weights.Network,
    [
        Mnist.LeNet5.Teacher,
        Int8("teacher"),
        new("channels removed", RemovalSteps * RemovalEpochs, $"{Removed} of the channels and units by Taylor importance in {RemovalSteps} steps of "
            + $"{RemovalEpochs} epochs, Adam from {LearningRate} along half a cosine, distilled from the dense network (temperature 4, weight 0.7)",
            (ml, run) => Load(ml, run, "teacher").Append(ml.Transforms.Prune(new PruningOptions
            {
                Granularity = Granularity.Unit,
                Importance = Importance.Taylor(2048),
                Amount = Amount.Fraction(Removed),
                Scope = Scope.Layer,
                Alignment = 1,
                Schedule = Schedule.Geometric(RemovalSteps),
                FineTuneEpochs = RemovalEpochs,
                FineTuning = Training.Sparse(run, LearningRate, null, Distillation.Response(4, 0.7, run.After("teacher"))),
            }))),
        Int8("channels removed", "channels removed, then int8"),
        Form("channels removed, then dynamic int8", "channels removed", new() { Quantizer = Quantizer.DynamicInt8() }),
    ]) { IsChain = false };

    private static Stage Int8(string from, string name = "int8") => Form(name, from, new());

    private static IEnumerable<Stage> Bits(int bits, string from)
    {
        (string Name, WeightRounding Of)[] roundings = [("nearest", WeightRounding.Nearest), ("AdaRound", WeightRounding.AdaRound()),
            ("GPTQ", WeightRounding.Gptq())];
        return roundings.Select(rounding
            => Form($"{bits}-bit {rounding.Name}", from, new() { Quantizer = Quantizer.Weights(bits), Rounding = rounding.Of }));
    }

    private static Stage Form(string name, string from, QuantizationOptions options) => new(name, 0,
        $"{options.Quantizer}, {options.Rounding}, {options.WeightRange} of weights, {options.Range} of activations, {Rows} training rows, from {from}",
        (ml, run) => Load(ml, run, from).Append(ml.Transforms.Quantize(options with { CalibrationRows = Rows, Seed = run.Seed })));

    private static LoadNetworkEstimator Load(MLContext ml, StageRun run, string from) => ml.Transforms.LoadNetwork(new LoadNetworkOptions
    {
        Network = run.After(from), LabelColumnName = "Label", Task = LearningTask.Multiclass, ValidationFraction = Training.ValidationFraction, Seed = run.Seed,
    });
}
