using System.Diagnostics;
using System.Globalization;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Training;

/// <summary>The GPU does what the CPU does, up to the rounding of another order of sums.</summary>
[TestClass]
[TestCategory("GPU")]
[RequiresCuda]
public class GpuTests
{
    [TestMethod]
    public void A_few_steps_on_the_GPU_end_where_those_on_the_CPU_do()
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2),
            Layer.Flatten(), Layer.Dense(32), Layer.Gelu(), Layer.Dense(10));
        var (cpu, gpu) = (Fit(network, gpu: null, epochs: 1).LastTransformer.Network, Fit(network, gpu: 0, epochs: 1).LastTransformer.Network);
        foreach (var parameter in cpu.Parameters)
        {
            Close.AreEqual(parameter.Values.ToArray(), gpu[parameter.Name].Values, 2e-2, parameter.Name);
        }
    }

    [TestMethod]
    public void The_chain_trains_prunes_and_fine_tunes_on_the_GPU()
    {
        var ml = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = false };
        var split = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2, seed: 1);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(20)))
            .Append(ml.Transforms.Prune(0.8, schedule: Schedule.Cubic(3), fineTuneEpochs: 3)).Append(ml.Transforms.FineTune(5)).Fit(split.TrainSet);
        Assert.IsGreaterThan(0.93, ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet)).MicroAccuracy);
        Assert.AreEqual(474, ml.Compression().Measure(model).Total.NonZeroWeights, "a fifth of 2,368 weights, rounded");
    }

    [TestMethod]
    public void Same_seed_gives_the_same_bits_with_dropout_on_the_GPU()
    {
        var network = Network.Sequential([64], Layer.Dense(32), Layer.Relu(), Layer.Dropout(0.3), Layer.Dense(10));
        CollectionAssert.AreEqual(Fit(network, 0, 2).LastTransformer.Network["fc1.weight"].Values.ToArray(),
            Fit(network, 0, 2).LastTransformer.Network["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void A_batch_scored_on_the_GPU_has_the_scores_of_the_CPU()
    {
        var network = Wide();
        using var cpu = Scorer.Create(network, softmax: true, 64);
        using var gpu = Scorer.Create(network, softmax: true, 64, gpu: 0);
        var random = new Random(1);
        foreach (ref var value in cpu.Rows.AsSpan())
        {
            value = random.NextSingle();
        }

        cpu.Rows.CopyTo(gpu.Rows);
        foreach (var count in new[] { 64, 17 })
        {
            cpu.Run(count);
            gpu.Run(count);
            for (var row = 0; row < count; row++)
            {
                Close.AreEqual(cpu.Scores(row).ToArray(), gpu.Scores(row), 1e-3, $"row {row}");
            }
        }
    }

    [TestMethod]
    public void The_energy_of_the_GPU_is_about_what_its_power_comes_to()
    {
        var ml = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = false };
        const int Batch = 4096;
        Metric[] metrics = [Metric.RowsPerSecond(Batch), Metric.Energy(batch: Batch)];
        EvaluationReport report;
        string powers;
        using (var smi = Process.Start(new ProcessStartInfo("nvidia-smi",
            ["--id=0", "--query-gpu=power.draw.instant", "--format=csv,noheader,nounits", "-lms", "50"])
            { RedirectStandardOutput = true })!)
        {
            report = ml.Compression().Evaluate(Wide(), null, new EvaluationOptions { Metrics = metrics });
            smi.Kill();
            powers = smi.StandardOutput.ReadToEnd();
        }

        Assert.AreEqual("measured by NVML: the GPU, with all else that ran on it meanwhile; not the processor and memory that feed it", report.Values[1].Note);
        StringAssert.EndsWith(report.Values[0].Note, "on this machine's GPU");
        // The last second of the readings is that in which the counter was read.
        var watts = powers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture)).TakeLast(20)
            .Average();
        Console.WriteLine($"{report}{watts:0} W by nvidia-smi");
        Assert.AreEqual(watts, report[metrics[1]] * 1e-3 * report[metrics[0]], 0.3 * watts);
    }

    private static Network Wide() => Network.Sequential([3, 32, 32], Layer.Conv2d(64, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
        Layer.Conv2d(128, 3, padding: 1), Layer.Relu(), Layer.MaxPool(4), Layer.Flatten(), Layer.Dense(10)).Initialize(1);

    private static TransformerChain<NeuralNetworkTransformer> Fit(Network network, int? gpu, int epochs)
    {
        var ml = new MLContext(1) { GpuDeviceId = gpu, FallbackToCpu = false };
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: epochs)).Fit(Digits.Load(ml));
    }
}
