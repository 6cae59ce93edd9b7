using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Training.Regularizers;

[TestClass]
public class RegularizationTests
{
    private static readonly Network s_network = Network.Sequential([2, 4, 4], Layer.Conv2d(3, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(),
        Layer.Dense(5), Layer.Relu(), Layer.Dense(2)).Initialize(4)
        .With("bn1.weight", [0.5f, -2, 1]);

    [TestMethod]
    public void Penalties_are_what_their_definitions_say()
    {
        var weights = new[] { "conv1.weight", "fc1.weight", "fc2.weight" }.SelectMany(name => s_network[name].Values.ToArray()).Select(value => (double)value)
            .ToArray();
        Assert.AreEqual(0.3 * weights.Sum(Math.Abs), Value(Regularization.L1(0.3)), 1e-5);
        Assert.AreEqual(0.3 * weights.Sum(value => value * value), Value(Regularization.L2(0.3)), 1e-5);
        Assert.AreEqual(0.3 * weights.Sum(Math.Abs) + 0.7 * weights.Sum(value => value * value), Value(Regularization.ElasticNet(0.3, 0.7)), 1e-5);
        Assert.AreEqual(0.3 * 3.5, Value(Regularization.BatchNormScale(0.3)), 1e-6);
        Assert.AreEqual(0.3 * 3.5 + 0.1 * weights.Sum(Math.Abs), Value(Regularization.BatchNormScale(0.3) + Regularization.L1(0.1)), 1e-5);

        // Rows of the dense layers: 12 values in each of 5, 5 in each of 2.
        double Rows(string name, int rows) => Enumerable.Range(0, rows)
            .Sum(row => Norm(s_network[name].Values.ToArray().Chunk(s_network[name].Count / rows).ElementAt(row)) * Math.Sqrt(s_network[name].Count / rows));
        Assert.AreEqual(0.2 * (Rows("fc1.weight", 5) + Rows("fc2.weight", 2)), Value(Regularization.GroupLasso(0.2, Granularity.Row)), 1e-5);

        // 1 x 3 blocks of fc1, which has 12 inputs; kernels of conv1 are 9 values each.
        var blocks = s_network["fc1.weight"].Values.ToArray().Chunk(3).Sum(block => Norm(block) * Math.Sqrt(3));
        var only = Network.Mlp(12, 5).Initialize(1).With("fc1.weight", s_network["fc1.weight"].Values);
        Assert.AreEqual(0.2 * blocks, Value(Regularization.GroupLasso(0.2, Granularity.WeightBlock(1, 3)), only), 1e-5);
        Assert.AreEqual(0.2 * s_network["conv1.weight"].Values.ToArray().Chunk(9).Sum(kernel => Norm(kernel) * 3),
            Value(Regularization.GroupLasso(0.2, Granularity.Kernel)), 1e-5);

        // A filter: its 18 weights and the four positions that each of 5 units reads of its channel.
        var (conv, dense) = (s_network["conv1.weight"].Values.ToArray(), s_network["fc1.weight"].Values.ToArray());
        var filters = Enumerable.Range(0, 3).Sum(filter => Math.Sqrt(18 + 20)
            * Norm([.. conv[(filter * 18)..(filter * 18 + 18)],
                .. Enumerable.Range(0, 5).SelectMany(unit => dense[(unit * 12 + filter * 4)..(unit * 12 + filter * 4 + 4)])]));
        Assert.AreEqual(0.2 * filters, Value(Regularization.GroupLasso(0.2, Granularity.Filter)), 1e-5);
    }

    [TestMethod]
    public void Gradients_are_those_of_finite_differences()
    {
        foreach (var penalty in new[] { Regularization.ElasticNet(0.3, 0.7), Regularization.GroupLasso(0.5),
            Regularization.GroupLasso(0.5, Granularity.Slice(1)), Regularization.BatchNormScale(2) })
        {
            using var scope = NewDisposeScope();
            var parameters = s_network.Parameters.ToDictionary(parameter => parameter.Name,
                parameter => TorchGraph.View(parameter).to(ScalarType.Float64).detach().requires_grad_(true));
            var compute = penalty.Bind(s_network, parameters);
            compute().backward();
            foreach (var name in new[] { "conv1.weight", "fc1.weight", "fc2.weight", "bn1.weight" }.Where(name => parameters[name].grad is not null))
            {
                var gradient = parameters[name].grad!.contiguous().data<double>().ToArray();
                for (var i = 0; i < gradient.Length; i += 7)
                {
                    const double Step = 1e-6;
                    double At(double change)
                    {
                        var moved = parameters.ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone());
                        var values = moved[name].data<double>().ToArray();
                        values[i] += change;
                        moved[name] = tensor(values).view(moved[name].shape);
                        return penalty.Bind(s_network, moved)().data<double>()[0];
                    }

                    Assert.AreEqual((At(Step) - At(-Step)) / (2 * Step), gradient[i], 1e-5, $"{penalty}, {name}[{i}]");
                }
            }
        }
    }

    [TestMethod]
    public void A_group_at_zero_has_a_finite_gradient()
    {
        using var scope = NewDisposeScope();
        var network = Network.Mlp(3, 2, 2).Initialize(1).With("fc1.weight", new float[6]);
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name,
            parameter => TorchGraph.View(parameter).detach().clone().requires_grad_(true));
        Regularization.GroupLasso(1, Granularity.Row).Bind(network, parameters)().backward();
        CollectionAssert.AreEqual(new float[6], parameters["fc1.weight"].grad!.contiguous().data<float>().ToArray());
    }

    [TestMethod]
    public void Training_under_a_penalty_makes_what_it_names_small_and_is_kept_with_the_model()
    {
        var ml = new MLContext(1);
        NeuralNetworkTransformer Train(Regularization? penalty) => Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 32, 10), Epochs = 15, LearningRate = 3e-3, Seed = 1,
                Regularization = penalty }))
            .Fit(Digits.Load(ml)).LastTransformer;
        static int Small(Network network) => network["fc1.weight"].Values.ToArray().Count(value => Math.Abs(value) < 1e-2);
        static int SmallRows(Network network) => network["fc1.weight"].Values.ToArray().Chunk(64).Count(row => Norm(row) < 0.1);
        var plain = Train(null);
        Assert.IsGreaterThan(4 * Small(plain.Network), Small(Train(Regularization.L1(2e-3)).Network));
        var rows = Train(Regularization.GroupLasso(1e-3, Granularity.Row));
        Assert.AreEqual(0, SmallRows(plain.Network));
        Assert.IsGreaterThan(2, SmallRows(rows.Network));
    }

    [TestMethod]
    public void Bad_penalties_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Regularization.L1(-1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Regularization.L2(double.NaN));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Regularization.GroupLasso(1, Granularity.Weight)).Message, "'Weight'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Value(Regularization.GroupLasso(1, Granularity.Head))).Message, "'Head'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Regularization.BatchNormScale(1).Bind(Network.Mlp(2, 2).Initialize(1), new Dictionary<string, Tensor>())).Message, "no batch normalisation");
    }

    private static double Norm(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));

    private static double Value(Regularization penalty, Network? of = null)
    {
        using var scope = NewDisposeScope();
        var network = of ?? s_network;
        return penalty.Bind(network, network.Parameters.ToDictionary(parameter => parameter.Name, TorchGraph.View))().data<float>()[0];
    }
}
