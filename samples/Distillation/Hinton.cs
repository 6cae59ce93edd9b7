using Microsoft.ML;

namespace MLNet.Pruning.Samples.Distillation;

/// <summary>
/// Section 3 of Hinton, Vinyals and Dean (2015): a teacher of two layers of 1,200 units with dropout that sees every image shifted by up to two
/// pixels, and students that see the images as they are.
/// </summary>
internal static class Hinton
{
    private const int BatchSize = 128;
    private const int TeacherEpochs = 30;
    private const int StudentEpochs = 20;
    private const int Shift = 2;

    public static Recipe Recipe { get; } = new("hinton", () => Network.Mlp(784, 800, 800, 10),
    [
        new("teacher", TeacherEpochs, $"784-1200-1200-10, dropout of 0.2 of the pixels and 0.5 of the units, images shifted by up to {Shift} pixels; {Describe(TeacherEpochs)}",
            (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Options(run, Teacher(), TeacherEpochs, Augmentation.Shift(Shift, 28, 28), null))),
        Alone("alone30", 30),
        Taught("taught30", 30, temperature: 4),
        Alone("alone800", 800, 800),
        Taught("taught800", 800, 800, temperature: 8),
    ]) { IsChain = false };

    private static Stage Alone(string name, params int[] units) => new(name, StudentEpochs, $"784-{string.Join('-', units)}-10, {Describe(StudentEpochs)}",
        (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Options(run, Student(units), StudentEpochs, null, null)));

    private static Stage Taught(string name, int first, int? second = null, double temperature = 4)
    {
        const double weight = 0.9;
        int[] units = second is { } number ? [first, number] : [first];
        return new(name, StudentEpochs, $"784-{string.Join('-', units)}-10, {Describe(StudentEpochs)}, distilled from the teacher (temperature {temperature}, weight {weight})",
            (ml, run) => ml.Transforms.Distill(Options(run, Student(units), StudentEpochs, null, MLNet.Pruning.Distillation.Response(temperature, weight, run.After("teacher")))));
    }

    private static Network Teacher() => Network.Sequential([784],
        Layer.Dropout(0.2), Layer.Dense(1200), Layer.Relu(), Layer.Dropout(0.5), Layer.Dense(1200), Layer.Relu(), Layer.Dropout(0.5), Layer.Dense(10));

    private static Network Student(int[] units) => Network.Mlp(784, [.. units, 10]);

    private static NeuralNetworkTrainer.Options Options(StageRun run, Network network, int epochs, Augmentation? augmentation, MLNet.Pruning.Distillation? distillation) => new()
    {
        Network = network,
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = 1e-3,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        Augmentation = augmentation,
        Distillation = distillation,
        // 5,000 of the 60,000 training images make all choices.
        ValidationFraction = 5_000.0 / 60_000,
        Seed = run.Seed,
        Progress = run.Progress,
    };

    private static string Describe(int epochs) => $"{epochs} epochs of Adam, one cycle up to 1e-3, batches of {BatchSize}";
}
