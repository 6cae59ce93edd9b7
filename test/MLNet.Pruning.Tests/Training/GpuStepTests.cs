using System.Runtime.InteropServices;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Every kind of step that computes on a device comes, on a GPU, to what it comes to on the CPU.</summary>
[TestClass]
[TestCategory("GPU")]
[RequiresCuda]
public class GpuStepTests
{
    /// <summary>The mean of the differences between probabilities: rounding in another order, and in the 10 bits of TF32 in convolutions.</summary>
    private const double Tolerance = 0.01;

    private static readonly (string, string)[] s_pair = [("relu1", "relu1")];

    private static readonly Dictionary<string, Func<MLContext, IEstimator<ITransformer>>> s_steps = new()
    {
        ["SGD with clipping"] = ml => Tune(ml, new() { Optimizer = Optimizer.Sgd(0.9, nesterov: true), GradientClipping = 1, LearningRate = 0.01 }),
        ["AdamW with weight decay"] = ml => Tune(ml, new() { Optimizer = Optimizer.AdamW(), WeightDecay = 0.01 }),
        ["regularization"] = ml => Tune(ml, new()
        {
            Regularization = Regularization.ElasticNet(1e-4, 1e-4) + Regularization.BatchNormScale(1e-3) + Regularization.GroupLasso(1e-4),
        }),
        ["targeted dropout"] = ml => Tune(ml, new() { TargetedDropout = new() }),
        ["augmentation"] = ml => Tune(ml, new() { Augmentation = Augmentation.Shift(1, 8, 8) }),
        ["last layers"] = ml => Tune(ml, new() { LastLayers = 1 }),
        ["response and logits"] = ml => Distill(ml, Distillation.Response(weight: 0.5) + Distillation.Logits(0.4)),
        ["relations and similarity"] = ml => Distill(ml, Distillation.Relations() + Distillation.Similarity()),
        ["features and attention"] = ml => Distill(ml, Distillation.Features(s_pair) + Distillation.Attention(s_pair)),
        ["rounded training, integers"] = ml => Quantize(ml, new() { Quantizer = Quantizer.Int8(), Epochs = 1 }),
        ["rounded training, 3 bits"] = ml => Quantize(ml, new() { Quantizer = Quantizer.Weights(3), Epochs = 1 }),
        ["ternary weights, fine-tuned"] = ml => ml.Transforms.Quantize(Quantizer.Ternary).Append(ml.Transforms.FineTune(1)),
        ["codebook"] = ml => Quantize(ml, new() { Quantizer = Quantizer.Codebook(4), Epochs = 1 }),
        ["GPTQ"] = ml => Quantize(ml, new() { Quantizer = Quantizer.Weights(4), Rounding = WeightRounding.Gptq() }),
        ["AdaRound"] = ml => Quantize(ml, new() { Quantizer = Quantizer.Weights(4), Rounding = WeightRounding.AdaRound(200) }),
        ["learned ranges, smoothing and bias correction"] = ml => Quantize(ml, new()
        {
            Quantizer = Quantizer.Int8(), Range = QuantizationRange.Learned(50),
            Preparation = QuantizationPreparation.Equalize + QuantizationPreparation.CorrectBias,
        }),
        ["data-aware SVD"] = ml => ml.Transforms.Factorize(Factorizer.DataAwareSvd, Rank.Energy(0.99)),
        ["Tucker-2 and PCA"] = ml => ml.Transforms.Factorize(Factorizer.Tucker2 + Factorizer.Pca, Rank.Energy(0.99)),
        ["reconstruction"] = ml => Remove(ml, Recovery.Reconstruct()),
        ["nearest merged"] = ml => Remove(ml, Recovery.MergeNearest()),
        ["low rank"] = ml => ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.7), Recovery = Recovery.LowRank(2) }),
        ["AutoPrune"] = ml => ml.Transforms.AutoPrune(Budget.Parameters(1500), fineTuneEpochs: 1),
    };

    private static readonly Importance[] s_ofWeights =
    [
        Importance.AbsoluteTaylor(), Importance.DiagonalHessian(), Importance.Fisher(), Importance.Gradient(), Importance.Grasp(),
        Importance.Movement(epochs: 2), Importance.OptimalBrainSurgeon(), Importance.Snip(), Importance.SynFlow, Importance.Taylor(), Importance.Wanda(),
        Importance.OptimalBrainSurgeon(order: SurgeonOrder.Greedy), Importance.WoodFisher(), Importance.CombinatorialBrainSurgeon(),
    ];

    private static readonly Importance[] s_ofUnits =
    [
        Importance.ActivationMean(), Importance.ActivationVariance(), Importance.NonzeroActivations(), Importance.LossChange(rows: 64),
        Importance.Osscar(),
    ];

    private static readonly SparseTraining[] s_trainings =
    [
        SparseTraining.Gradual(5), SparseTraining.Soft(5), SparseTraining.Surgery(5), SparseTraining.RigL(every: 5), SparseTraining.Set(every: 5),
        SparseTraining.L0(), SparseTraining.VariationalDropout(),
    ];

    private static readonly Lazy<Network> s_dense = new(() => Trained());

    [TestMethod]
    public void Steps_come_to_the_same_on_both() => AreSame(s_steps);

    [TestMethod]
    public void Importances_choose_the_same_on_both() => AreSame(s_ofWeights.Select(importance => (importance, Granularity.Weight))
        .Concat(s_ofUnits.Select(importance => (importance, Granularity.Unit))).ToDictionary(pair => $"{pair.importance}", Prune));

    [TestMethod]
    public void Pruning_while_training_comes_to_the_same_on_both() => AreSame(s_trainings.ToDictionary(training => $"{training}", training
        => (Func<MLContext, IEstimator<ITransformer>>)(ml => ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.5), Training = training, FineTuneEpochs = 1,
        }))));

    private static Func<MLContext, IEstimator<ITransformer>> Prune((Importance Importance, Granularity Granularity) choice)
        => ml => ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Importance = choice.Importance, Granularity = choice.Granularity });

    private static IEstimator<ITransformer> Tune(MLContext ml, TrainingOptions options)
        => ml.Transforms.FineTune(options with { Epochs = 1, BatchSize = 64 });

    private static IEstimator<ITransformer> Distill(MLContext ml, Distillation distillation)
        => ml.Transforms.Distill(teacher => teacher.Initialize(2), distillation);

    private static IEstimator<ITransformer> Quantize(MLContext ml, QuantizationOptions options) => ml.Transforms.Quantize(options);

    private static IEstimator<ITransformer> Remove(MLContext ml, Recovery recovery)
        => ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.25), Granularity = Granularity.Unit, Recovery = recovery });

    private static Network Trained()
    {
        var ml = new MLContext(1);
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(),
            Layer.Dense(32), Layer.Relu(), Layer.Dropout(0.1), Layer.Dense(10));
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: 10)).Fit(Digits.Load(ml)).LastTransformer.Network;
    }

    private static void AreSame(Dictionary<string, Func<MLContext, IEstimator<ITransformer>>> steps)
    {
        var wrong = new List<string>();
        foreach (var (name, step) in steps)
        {
            try
            {
                var (cpu, gpu) = (Scores(step, null), Scores(step, 0));
                var difference = cpu.Zip(gpu, (one, other) => Math.Abs(one - other)).Average();
                Console.WriteLine($"{name}: {difference:g2}");
                if (cpu.Length != gpu.Length || difference >= Tolerance)
                {
                    wrong.Add($"{name}: differs by {difference}");
                }
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException or NotSupportedException or ExternalException)
            {
                wrong.Add($"{name}: {e}");
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    private static float[] Scores(Func<MLContext, IEstimator<ITransformer>> step, int? gpu)
    {
        var ml = new MLContext(1) { GpuDeviceId = gpu, FallbackToCpu = false };
        var rows = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.Transforms.LoadNetwork(s_dense.Value)).Append(step(ml)).Fit(rows);
        return [.. ml.Data.CreateEnumerable<Scored>(model.Transform(rows), reuseRowObject: false).SelectMany(row => row.Score)];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
