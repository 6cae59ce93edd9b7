using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Real data for the pipeline: the handwritten digits.</summary>
internal static class Digits
{
    public static IDataView Load(MLContext ml) => ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv"),
        [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ',');

    /// <summary>Keys for the labels and pixels in [0, 1].</summary>
    public static EstimatorChain<Microsoft.ML.Transforms.NormalizingTransformer> Prepare(MLContext ml)
        => ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.Transforms.NormalizeMinMax("Features"));

    public static NeuralNetworkOptions Options(int epochs = 3) => new() { Network = Network.Mlp(64, 32, 10), Epochs = epochs, LearningRate = 5e-3 };

    public sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    public sealed class Prediction
    {
        public float[] Score { get; set; } = [];

        public float PredictedLabel { get; set; }
    }
}
