using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using TorchSharp;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Counts what the whole process holds, so that nothing else may run beside it.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
[DoNotParallelize]
public class MemoryTests
{
    private const int Fits = 200;

    [TestMethod]
    public void Native_tensors_and_resident_memory_stay_flat_over_200_fits()
    {
        Fit();
        Collect();
        var tensors = torch.Tensor.TotalCount;
        var resident = 0L;
        for (var i = 0; i < Fits; i++)
        {
            Fit();
            if (i == Fits / 4)
            {
                Collect();
                resident = Environment.WorkingSet;
            }
        }

        Collect();
        // Trained, then fine-tuned once; TorchSharp counts each on twice and off once: see TorchSharpFaultTests.
        const int ParametersPerFit = 2 * 6;
        // What other tests left behind may go in the meantime; one tensor kept by each fit would be 200 more.
        Assert.IsLessThanOrEqualTo(tensors + Fits * ParametersPerFit, torch.Tensor.TotalCount, "native tensors alive");
        var grown = (Environment.WorkingSet - resident) / (1024.0 * 1024);
        // Three quarters of the fits: one that kept only its rows of 460 KB would add 69 MB, one that kept its weights 29 MB.
        Assert.IsLessThan(20, grown, "MB of resident memory added by the last 150 fits");
    }

    private static void Fit()
    {
        var ml = new MLContext(1);
        var options = Digits.Options(1) with { Network = Network.Mlp(64, 256, 128, 10) };
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Append(ml.Transforms.Prune(0.9, fineTuneEpochs: 1))
            .Fit(data);
        Assert.IsGreaterThan(0, ml.MulticlassClassification.Evaluate(model.Transform(ml.Data.TakeRows(data, 300))).MicroAccuracy);
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
