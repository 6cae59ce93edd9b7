using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using MLNet.Pruning.Training;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Students in chains, taught on the digits: what is kept, what goes into files, and that the same seed gives the same bits.</summary>
[TestClass]
public class DistillationChainTests
{
    private static readonly Distillation s_all = (Distillation.Response(3, 0.5) + Distillation.Logits(0.1) + Distillation.Features([("relu1", "relu1")])
        + Distillation.Relations(1, 2, ("fc1", "fc1.out"))
        + Distillation.Similarity(weight: 10)).Scheduled(LearningRateSchedule.Cosine(0.5), LearningRateSchedule.Linear(0.5)).WithMemoryLimit(1 << 24);

    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_chain_with_every_kind_comes_back_from_a_file_and_goes_on_in_the_same_way()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var data = _ml.Data.Cache(Digits.Load(_ml));
        var model = Chain(_ml.Transforms.Distill(Network.Mlp(64, 12, 10), s_all, epochs: 1, learningRate: 5e-3)).Fit(data);
        try
        {
            _ml.Compression().Save(model, data.Schema, path);
            var loaded = new MLContext(7).Compression().Load(path, out _);
            var (before, after) = (Last(model), Last(loaded));
            Assert.AreEqual(before.Training.Distillation!.Description, after.Training.Distillation!.Description);
            Assert.HasCount(5, after.Training.Distillation.Terms);
            Assert.IsTrue(before.Training.Distillation.Terms.SequenceEqual(after.Training.Distillation.Terms));
            Assert.AreEqual(1L << 24, after.Training.Distillation.MemoryLimit);
            CollectionAssert.AreEqual(Bits(before.Training.Distillation.Teacher!.Network!), Bits(after.Training.Distillation.Teacher!.Network!));
            CollectionAssert.AreEqual(Bits(GoOn(model)), Bits(GoOn(loaded)));
        }
        finally
        {
            File.Delete(path);
        }

        Network GoOn(ITransformer start)
        {
            var scored = start.Transform(data);
            return new MLContext(3).Transforms.FineTune(1).Fit(scored).Network;
        }
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits_and_another_kind_others()
    {
        var data = _ml.Data.Cache(Digits.Load(_ml));
        var bits = Bits(Train(s_all));
        CollectionAssert.AreEqual(bits, Bits(Train(s_all)));
        CollectionAssert.AreNotEqual(bits, Bits(Train(s_all + Distillation.Attention([("maps", "maps")]), Maps(6), Maps(3))));

        Network Train(Distillation distillation, Network? teacher = null, Network? student = null) => Last(Chain(new MLContext(1),
            new MLContext(1).Transforms.Distill(student ?? Network.Mlp(64, 12, 10), distillation, epochs: 1), teacher).Fit(data)).Network;

        static Network Maps(int filters) => Network.Sequential([1, 8, 8], Layer.Conv2d(filters, 3, name: "maps"), Layer.Flatten(), Layer.Dense(8, name: "fc1"),
            Layer.Relu(name: "relu1"), Layer.Dense(10, name: "out"));
    }

    [TestMethod]
    public void A_student_is_made_of_the_model_that_teaches()
    {
        var rows = Digits.Prepare(_ml).Fit(Digits.Load(_ml)).Transform(Digits.Load(_ml));
        NeuralNetworkTransformer Trained(Network network) => _ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: 1).Fit(rows);
        var (given, before) = (Trained(Network.Mlp(64, 16, 10)), Trained(Network.Mlp(64, 12, 10)));
        List<Network> asked = [];
        Network Half(Network teacher)
        {
            asked.Add(teacher);
            return teacher.Shrink(width: 0.5);
        }

        var student = _ml.Transforms.Distill(Half, epochs: 1, teacher: given).Fit(before.Transform(rows)).Network;
        Assert.AreSame(given.Network, asked.Single());
        CollectionAssert.AreEqual(new[] { 8, 64 }, student["fc1.weight"].Shape.ToArray());

        // A teacher that is no network does not make way for the network before it.
        var error = Assert.ThrowsExactly<InvalidOperationException>(() =>
            _ml.Transforms.Distill(Half, Distillation.Response(teacher: Teacher.Mean(given.Network, before.Network)), epochs: 1).Fit(before.Transform(rows)));
        StringAssert.Contains(error.Message, "give the student itself");
    }

    [TestMethod]
    public void Projections_are_thrown_away()
    {
        var student = Network.Mlp(64, 12, 10);
        var taught = Last(Chain(_ml.Transforms.Distill(student, Distillation.Features([("relu1", "relu1"), ("fc1", "fc1")]), epochs: 1))
            .Fit(Digits.Load(_ml))).Network;
        CollectionAssert.AreEqual(student.Parameters.Select(parameter => parameter.Name).ToArray(),
            taught.Parameters.Select(parameter => parameter.Name).ToArray());
        Assert.AreEqual(student.ParameterCount, taught.ParameterCount);
        CollectionAssert.AreEqual(student.Nodes.Select(node => node.ToString()).ToArray(),
            taught.Nodes.Take(student.Nodes.Length).Select(node => node.ToString()).ToArray());
    }

    [TestMethod]
    public void Features_bring_a_student_closer_to_its_teacher()
    {
        // Of equal size, so that the distance needs no projection.
        var data = _ml.Data.Cache(Digits.Load(_ml));
        Assert.IsLessThan(0.5 * Distance(null), Distance(Distillation.Features([("relu1", "relu1")], 20)));

        double Distance(Distillation? distillation)
        {
            var model = Chain(new MLContext(1), new MLContext(1).Transforms.Distill(Network.Mlp(64, 32, 10), distillation, epochs: 3, learningRate: 5e-3), null)
                .Fit(data);
            var prepared = model.Transform(data).GetColumn<float[]>("Features").Take(50).SelectMany(row => row).ToArray();
            var state = Last(model);
            var teacher = state.Training.Distillation!.Teacher!.Network!;
            return Hidden(teacher, prepared).Zip(Hidden(state.Network, prepared)).Average(pair => Math.Pow(pair.First - pair.Second, 2));
        }

        static float[] Hidden(Network network, float[] rows)
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            using var graph = TorchGraph.ForScoring(network, network.Nodes.Single(node => node.Name == "relu1").Outputs[0]);
            return TensorValues.Of(graph.Forward(TorchSharp.torch.tensor(rows).view(-1, 64)));
        }
    }

    [TestMethod]
    public void Students_teach_students()
    {
        // The second teacher is the first student: its layer is in no other network.
        var first = Network.Sequential([64], Layer.Dense(16, name: "inner"), Layer.Relu(), Layer.Dense(10));
        var model = Chain(_ml.Transforms.Distill(first, epochs: 1))
            .Append(_ml.Transforms.Distill(Network.Mlp(64, 8, 10), Distillation.Features([("inner", "fc1")]), epochs: 1)).Fit(Digits.Load(_ml));
        Assert.AreEqual(64 * 8 + 8 + 80 + 10, Last(model).Network.ParameterCount);
        Assert.AreEqual(64 * 16 + 16 + 160 + 10, Last(model).Training.Distillation!.Teacher!.Network!.ParameterCount);
    }

    [TestMethod]
    public void A_pruned_network_learns_the_features_it_had()
    {
        var data = _ml.Data.Cache(Digits.Load(_ml));
        var bits = Enumerable.Range(0, 2).Select(features => Bits(Last(Chain(new MLContext(1), Prune(features == 1), null).Fit(data)).Network)).ToArray();
        CollectionAssert.AreNotEqual(bits[0], bits[1]);

        IEstimator<NeuralNetworkTransformer> Prune(bool features)
            => new MLContext(1).Transforms.Prune(0.8, fineTuneEpochs: 1)
                .WithTeacher(features ? Distillation.Response() + Distillation.Features([("relu1", "relu1")]) : Distillation.Response());
    }

    private EstimatorChain<NeuralNetworkTransformer> Chain(IEstimator<NeuralNetworkTransformer> step) => Chain(_ml, step, null);

    private static EstimatorChain<NeuralNetworkTransformer> Chain(MLContext ml, IEstimator<NeuralNetworkTransformer> step, Network? teacher)
        => Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(teacher ?? Network.Mlp(64, 32, 10), epochs: 2, learningRate: 5e-3))
            .Append(step);

    private static NetworkState Last(ITransformer model) => NetworkChains.Last(model)!.State;

    private static float[] Bits(Network network) => [.. network.Parameters.SelectMany(parameter => parameter.Values.ToArray())];
}
