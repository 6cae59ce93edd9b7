using Microsoft.ML;
using MLNet.Pruning;

namespace PrunedApi;

/// <summary>Makes the model that the service scores with.</summary>
public static class Training
{
    /// <summary>Trains a network, removes half of its units, fine-tunes it and saves what is left, which scores without libtorch.</summary>
    public static void Run(MLContext ml, string path)
    {
        var rows = Row.Load(ml);
        var model = ml.Transforms.NormalizeMeanVariance("Features")
            .Append(ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(2, 64, 32, 1), epochs: 30))
            .Append(ml.Transforms.Prune(sparsity: 0.5, granularity: Granularity.Neuron, schedule: Schedule.Linear(5), fineTuneEpochs: 5))
            .Append(ml.Transforms.FineTune(epochs: 20))
            .Fit(rows);
        ml.Model.Save(model.Compact(), rows.Schema, path);
    }
}
