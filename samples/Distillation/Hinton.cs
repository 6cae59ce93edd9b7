using Microsoft.ML;

namespace MLNet.Pruning.Samples.Distillation;

/// <summary>
/// Section 3 of Hinton, Vinyals and Dean (2015): a teacher of two layers of 1,200 units with dropout that sees every image shifted by up to two
/// pixels, and students that see the images as they are.
/// </summary>
internal static class Hinton
{
    private const int BatchSize = 128;
    private const int TeacherEpochs = 60;
    private const double TeacherRate = 1e-3;
    private const int Shift = 2;
    private const double Weight = 0.9;

    // The small student takes larger steps, and overfits alone where it trains as long as its taught twin: each has what did best on validation images.
    public static Recipe Recipe { get; } = new("hinton", () => Network.Mlp(784, 800, 800, 10),
    [
        new("teacher", TeacherEpochs, $"784-1200-1200-10, dropout of 0.2 of the pixels and 0.5 of the units, images shifted by up to {Shift} pixels; "
            + $"{Describe(TeacherEpochs, TeacherRate)}",
            (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Options(run, Teacher(), TeacherEpochs, TeacherRate,
                Augmentation.Shift(Shift, 28, 28), null))),
        Alone("alone30", epochs: 20, learningRate: 3e-3, 30),
        Taught("taught30", temperature: 2, epochs: 60, learningRate: 3e-3, 30),
        Alone("alone800", epochs: 40, learningRate: 1e-3, 800, 800),
        Taught("taught800", temperature: 8, epochs: 40, learningRate: 1e-3, 800, 800),
    ]) { IsChain = false };

    private static Stage Alone(string name, int epochs, double learningRate, params int[] units)
        => new(name, epochs, $"784-{string.Join('-', units)}-10, {Describe(epochs, learningRate)}",
        (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Options(run, Student(units), epochs, learningRate, null, null)));

    private static Stage Taught(string name, double temperature, int epochs, double learningRate, params int[] units)
        => new(name, epochs, FormattableString.Invariant($"784-{string.Join('-', units)}-10, {Describe(epochs,
            learningRate)}, distilled from the teacher (temperature {temperature}, weight {Weight})"),
            (ml, run) => ml.Transforms.Distill(Options(run, Student(units), epochs, learningRate, null,
                MLNet.Pruning.Distillation.Response(temperature, Weight, run.After("teacher")))));

    private static Network Teacher() => Network.Sequential([784],
        Layer.Dropout(0.2), Layer.Dense(1200), Layer.Relu(), Layer.Dropout(0.5), Layer.Dense(1200), Layer.Relu(), Layer.Dropout(0.5), Layer.Dense(10));

    private static Network Student(int[] units) => Network.Mlp(784, [.. units, 10]);

    private static NeuralNetworkOptions Options(StageRun run, Network network, int epochs, double learningRate, Augmentation? augmentation,
        MLNet.Pruning.Distillation? distillation) => new()
    {
        Network = network,
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = learningRate,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        Augmentation = augmentation,
        Distillation = distillation,
        // 5,000 of the 60,000 training images make all choices.
        ValidationFraction = 5_000.0 / 60_000,
        Seed = run.Seed,
        Progress = run.Progress,
    };

    private static string Describe(int epochs, double learningRate)
        => FormattableString.Invariant($"{epochs} epochs of Adam, one cycle up to {learningRate}, batches of {BatchSize}");
}
