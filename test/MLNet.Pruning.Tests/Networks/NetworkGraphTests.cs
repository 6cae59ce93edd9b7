using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Networks;

/// <summary>Networks that differ in their weights alone are of one graph, whatever changed the weights.</summary>
[TestClass]
public class NetworkGraphTests
{
    [TestMethod]
    public void Networks_that_differ_in_values_share_their_graph()
    {
        var drawn = Network.Mlp(6, 5, 2).Initialize(1);
        var masked = drawn.Prune(Amount.Fraction(0.5)).Network;
        var zeroed = masked.Mask([masked.Groups()[2]]);
        foreach (var network in new[] { drawn.With("fc1.bias", [1, 2, 3, 4, 5]), masked, zeroed, drawn.WithoutValues() })
        {
            Assert.AreSame(drawn.Graph, network.Graph);
        }

        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4, 5 }, drawn.With("fc1.bias", [1, 2, 3, 4, 5])["fc1.bias"].Values.ToArray());
        Assert.IsTrue(drawn["fc1.weight"].Values.Contains(masked["fc1.weight"].Values.ToArray().First(value => value != 0)), "each has its own values");
        Assert.AreEqual(0, zeroed["fc1.weight"].Values[(2 * 6)..(3 * 6)].ToArray().Max(Math.Abs));
    }

    [TestMethod]
    public void A_graph_holds_no_weights()
    {
        var network = Network.Mlp(6, 5, 2).Initialize(1);
        Assert.IsFalse(network.Graph.Parameters.Any(parameter => parameter.IsInitialized));
        Assert.IsTrue(network.Parameters.All(parameter => parameter.IsInitialized));
    }

    [TestMethod]
    public void A_parameter_of_another_shape_or_that_is_no_longer_trained_makes_another_graph()
    {
        var network = Network.Mlp(6, 5, 2).Initialize(1);
        var held = network.WithParameters([network["fc2.weight"].WithTrainable(false)]);
        Assert.AreNotSame(network.Graph, held.Graph);
        Assert.AreEqual(network.ParameterCount - 10, held.ParameterCount);
        var narrow = network.Remove([network.Groups()[1]]);
        Assert.AreNotSame(network.Graph, narrow.Graph);
        Assert.AreEqual((4, 5), (narrow.Tensors["fc1.out"].Shape[1], network.Tensors["fc1.out"].Shape[1]));
    }

    [TestMethod]
    public void Weights_to_rewind_to_share_the_graph_of_a_model_that_was_loaded()
    {
        var ml = new MLContext(1);
        var rows = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options() with { RewindEpoch = 1 })).Fit(rows);
        var folder = Directory.CreateTempSubdirectory("rewound");
        var file = Path.Combine(folder.FullName, "model.zip");
        ml.Compression().Save(model, rows.Schema, file);
        var (state, loaded) = (model.LastTransformer.State,
            NetworkChains.Flatten(ml.Compression().Load(file, out _)).OfType<NeuralNetworkTransformer>().Single().State);
        folder.Delete(recursive: true);
        Assert.AreSame(loaded.Network.Graph, loaded.Initial.Graph);
        Assert.AreSame(loaded.Network.Graph, loaded.Early!.Graph);
        foreach (var name in state.Network.Parameters.Select(parameter => parameter.Name))
        {
            CollectionAssert.AreEqual(state.Network[name].Values.ToArray(), loaded.Network[name].Values.ToArray(), name);
            CollectionAssert.AreEqual(state.Initial[name].Values.ToArray(), loaded.Initial[name].Values.ToArray(), name);
            CollectionAssert.AreEqual(state.Early![name].Values.ToArray(), loaded.Early[name].Values.ToArray(), name);
        }
    }

    [TestMethod]
    public void Training_fine_tuning_and_rewinding_stay_on_one_graph()
    {
        var ml = new MLContext(1);
        var steps = new List<NeuralNetworkTransformer>();
        var half = new PruningOptions
        {
            Amount = Amount.Fraction(0.5), Granularity = Granularity.Neuron, FineTuneEpochs = 1, Schedule = Schedule.Linear(2), Rewind = Rewind.ToEarly,
        };
        Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options() with { RewindEpoch = 1 }).WithOnFitDelegate(steps.Add))
            .Append(ml.Transforms.Prune(half).WithOnFitDelegate(steps.Add)).Fit(Digits.Load(ml));
        foreach (var state in steps.Select(step => step.State))
        {
            Assert.AreSame(state.Network.Graph, state.Initial.Graph, "the weights before training");
            Assert.AreSame(state.Network.Graph, state.Early!.Graph, "those after an epoch");
            Assert.IsFalse(state.Network["fc1.weight"].Values.SequenceEqual(state.Early["fc1.weight"].Values));
        }

        Assert.AreEqual((32, 16), (steps[0].State.Initial["fc1.weight"].Shape[0], steps[1].State.Initial["fc1.weight"].Shape[0]));
    }
}
