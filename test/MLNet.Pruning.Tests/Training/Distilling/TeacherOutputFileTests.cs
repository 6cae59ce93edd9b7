using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>What a teacher says, past the limit to what is kept in memory. Alone, for it looks at what lies in the folder of temporary files.</summary>
[TestClass]
[DoNotParallelize]
public class TeacherOutputFileTests
{
    [TestMethod]
    public void A_temporary_file_gives_the_same_bits_and_goes_when_the_step_is_done()
    {
        var before = Files();
        var (memory, without) = Train(1L << 30);
        var (file, with) = Train(0);
        CollectionAssert.AreEqual(memory, file);
        Assert.AreEqual(0, without, "in memory there is no file");
        Assert.AreEqual(1, with, "past the limit there is one");
        CollectionAssert.AreEquivalent(before, Files());

        (float[] Bits, int Files) Train(long limit)
        {
            var ml = new MLContext(1);
            var options = Digits.Options(2) with { Network = Network.Mlp(64, 12, 10),
                Distillation = (Distillation.Response() + Distillation.Features([("relu1", "relu1")])).WithMemoryLimit(limit) };
            var most = 0;
            options = options with { Progress = new Now(() => most = Math.Max(most, Files().Except(before).Count())) };
            var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(ml.Transforms.Distill(options))
                .Fit(Digits.Load(ml));
            return ([.. model.LastTransformer.Network.Parameters.SelectMany(parameter => parameter.Values.ToArray())], most);
        }
    }

    [TestMethod]
    public void Scores_of_any_model_are_kept_in_a_file_too()
    {
        var before = Files();
        var ml = new MLContext(1);
        var rows = Digits.Prepare(ml).Fit(Digits.Load(ml)).Transform(Digits.Load(ml));
        var scored = ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1)).Fit(rows).Transform(rows);
        scored = ml.Transforms.CopyColumns("Probabilities", "Score").Fit(scored).Transform(scored);
        var (memory, without) = Train(1L << 30);
        var (file, with) = Train(0);
        CollectionAssert.AreEqual(memory, file);
        Assert.AreEqual((0, 1), (without, with));
        CollectionAssert.AreEquivalent(before, Files());

        (float[] Bits, int Files) Train(long limit)
        {
            var options = Digits.Options(2) with { Seed = 1, Network = Network.Mlp(64, 12, 10),
                Distillation = (Distillation.Response(teacher: Teacher.Columns("Probabilities")) + Distillation.Similarity()).WithMemoryLimit(limit) };
            var most = 0;
            options = options with { Progress = new Now(() => most = Math.Max(most, Files().Except(before).Count())) };
            var network = ml.Transforms.Distill(options).Fit(scored).Network;
            return ([.. network.Parameters.SelectMany(parameter => parameter.Values.ToArray())], most);
        }
    }

    [TestMethod]
    public void A_step_that_fails_leaves_no_file_either()
    {
        var before = Files();
        var ml = new MLContext(1);
        var options = Digits.Options(2) with { Distillation = Distillation.Response().WithMemoryLimit(0) };
        var found = 0;
        options = options with
        {
            Progress = new Now(() =>
            {
                found = Files().Except(before).Count();
                throw new InvalidOperationException("enough");
            }),
        };
        Assert.ThrowsExactly<InvalidOperationException>(() =>
            Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(ml.Transforms.Distill(options))
                .Fit(Digits.Load(ml)));
        Assert.AreEqual(1, found);
        CollectionAssert.AreEquivalent(before, Files());
    }

    private static string[] Files() => Directory.GetFiles(Path.GetTempPath(), "distillation-*.tmp");

    private sealed class Now(Action tell) : IProgress<EpochResult>
    {
        public void Report(EpochResult value) => tell();
    }
}
