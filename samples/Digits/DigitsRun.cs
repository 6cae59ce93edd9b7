using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.Digits;

/// <summary>One run of the pipeline: train, prune, fine-tune, all in one Fit.</summary>
internal sealed class DigitsRun
{
    public const double TargetSparsity = 0.95;
    public const int PruningSteps = 10;

    private readonly MLContext _ml;
    private readonly IDataView _test;
    private readonly ITransformer[] _steps;

    private DigitsRun(MLContext ml, IDataView test, TransformerChain<ITransformer> model, IReadOnlyList<NeuralNetworkTransformer> networks)
    {
        (_ml, _test, _steps) = (ml, test, [.. model]);
        (Dense, Pruned, FineTuned) = (networks[0], networks[1], networks[2]);
    }

    public NeuralNetworkTransformer Dense { get; }

    public NeuralNetworkTransformer Pruned { get; }

    public NeuralNetworkTransformer FineTuned { get; }

    /// <summary>Reads the digits, holds back a fifth of them for the test, and fits the chain on the rest.</summary>
    /// <param name="seed">Seed of the split, the training and the pruning.</param>
    /// <param name="epoch">Called with every epoch of the first training.</param>
    /// <param name="step">Called with every step of the pruning.</param>
    public static DigitsRun Fit(int seed, IProgress<EpochResult>? epoch = null, IProgress<PruningStep>? step = null)
    {
        var ml = new MLContext(seed);
        var digits = ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, "optdigits.csv"),
            [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ',');
        var split = ml.Data.TrainTestSplit(digits, testFraction: 0.2, seed: seed);

        var networks = new List<NeuralNetworkTransformer>();
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.Transforms.NormalizeMinMax("Features"))
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions
            {
                Network = Network.Mlp(64, 300, 100, 10),
                Epochs = 60,
                LearningRate = 5e-3,
                LearningRateSchedule = LearningRateSchedule.OneCycle(),
                WeightDecay = 1e-4,
                Progress = epoch,
            }).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(TargetSparsity),
                Schedule = Schedule.Cubic(PruningSteps),
                FineTuneEpochs = 20,
                Progress = step,
            }).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.FineTune(epochs: 60).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = pipeline.Fit(split.TrainSet);
        return new(ml, split.TestSet, new TransformerChain<ITransformer>([.. model]), networks);
    }

    /// <summary>Accuracy on the test rows, which no step has seen, of the chain up to one of its networks.</summary>
    public double TestAccuracy(NeuralNetworkTransformer network)
    {
        var chain = new TransformerChain<ITransformer>([.. _steps.Take(Array.IndexOf(_steps, network) + 1)]);
        return _ml.MulticlassClassification.Evaluate(chain.Transform(_test)).MicroAccuracy;
    }

    /// <summary>The three networks with what was done to each, and with what was done why.</summary>
    public CompressionReport Report() => _ml.Compression().Report(new TransformerChain<ITransformer>([.. _steps]), new()
    {
        Title = "Handwritten digits", Description = "Tells the digits of 8 x 8 pixels in samples/data apart.",
    });

    public NetworkCost Measure(NeuralNetworkTransformer network) => _ml.Compression().Measure(network);
}
