using System.Runtime.InteropServices;
using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>The gradient through every operator equals central differences, both in double precision, at some weights of each parameter.</summary>
[TestClass]
public class OperatorGradientTests
{
    private const double Step = 1e-6;
    private const int WeightsEach = 5;

    /// <summary>Of rows for which no value lies within a step of a kink, as that of ReLU at zero, where the differences see both sides.</summary>
    private const int Seed = 4;

    /// <summary>What cannot be run, and what has no gradient.</summary>
    private static readonly string[] s_without = ["if_subgraph", "custom_domain", "arg_max"];

    [TestMethod]
    public void Gradients_equal_central_differences()
    {
        var differing = new List<string>();
        foreach (var model in Zoo.Operators.Where(model => !s_without.Contains(model.Name)))
        {
            try
            {
                Check(model);
            }
            catch (Exception e) when (e is AssertFailedException or NotSupportedException or InvalidOperationException or ExternalException)
            {
                differing.Add($"{model.Name}: {e.GetType().Name} {e.Message}");
            }
        }

        Assert.IsEmpty(differing, string.Join(Environment.NewLine, differing));
    }

    private static void Check(ZooModel model)
    {
        using var scope = NewDisposeScope();
        var network = Network.FromOnnx(model.Path);
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name, parameter => TorchGraph.View(parameter).to(ScalarType.Float64));
        foreach (var parameter in network.Parameters.Where(parameter => parameter.Trainable))
        {
            parameters[parameter.Name].requires_grad = true;
        }

        using var graph = new TorchGraph(network, parameters, logits: false);
        using var generator = new Generator(3);
        var rows = cat([.. model.Draw(Seed).Select(input => tensor(input.Values, [input.Shape[0], input.Values.Length / input.Shape[0]], ScalarType.Float64))],
            1);
        Tensor? weights = null;
        Tensor Loss()
        {
            using var dropout = new Generator(7);
            var result = graph.Forward(rows, training: true, dropout);
            // Weights that differ from output to output: the plain sum of a softmax or of a normalised batch has no gradient.
            weights ??= rand(result.shape, ScalarType.Float64, generator: generator);
            return (result * weights).sum();
        }

        var trained = parameters.Where(pair => pair.Value.requires_grad).ToArray();
        Assert.IsNotEmpty(trained, "no trained weights");
        Loss().backward();
        using var noGrad = no_grad();
        var moved = false;
        foreach (var (name, parameter) in trained)
        {
            // None where the first output does not depend on it.
            var (gradient, values) = (parameter.grad?.flatten(), parameter.view(-1));
            var count = values.numel();
            for (var k = 0; k < WeightsEach; k++)
            {
                using var inner = NewDisposeScope();
                var i = (k * 7919L + 3) % count;
                var value = values[i].ToDouble();
                double At(double changed)
                {
                    values[i] = tensor(changed, ScalarType.Float64);
                    return Loss().ToDouble();
                }

                var expected = (At(value + Step) - At(value - Step)) / (2 * Step);
                values[i] = tensor(value, ScalarType.Float64);
                Assert.AreEqual(expected, gradient is null ? 0 : gradient[i].ToDouble(), 1e-6 * Math.Max(1, Math.Abs(expected)), $"{name}[{i}]");
                moved |= expected != 0;
            }
        }

        Assert.IsTrue(moved, "no weight changes the outputs");
    }
}
