using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLNet.Pruning.Offline.Tests.Torch;

/// <summary>Optimisers against their papers' update formulas, on the objective of a few noisy gradients given beforehand.</summary>
[TestClass]
public class OptimizerTests
{
    private const int Steps = 8;

    [TestMethod]
    [DataRow(0.0, 0.0, 0.0, false, false)]
    [DataRow(0.9, 0.0, 0.0, false, false)]
    [DataRow(0.9, 0.1, 0.01, false, false)]
    [DataRow(0.9, 0.0, 0.01, true, false)]
    [DataRow(0.9, 0.0, 0.01, true, true)]
    public void Sgd_follows_its_formula(double momentum, double dampening, double decay, bool nesterov, bool maximize)
    {
        double[] buffer = new double[2];
        Compare(
            parameter => optim.SGD([parameter], 0.1, momentum, dampening, decay, nesterov, maximize),
            (weights, gradient, step, rate) =>
            {
                for (int i = 0; i < weights.Length; i++)
                {
                    double g = ((maximize ? -1 : 1) * gradient[i]) + (decay * weights[i]);
                    if (momentum != 0)
                    {
                        buffer[i] = step == 1 ? g : (momentum * buffer[i]) + ((1 - dampening) * g);
                        g = nesterov ? g + (momentum * buffer[i]) : buffer[i];
                    }

                    weights[i] -= rate * g;
                }
            });
    }

    [TestMethod]
    [DataRow(0.0, false, false)]
    [DataRow(0.1, false, false)]
    [DataRow(0.1, true, false)]
    [DataRow(0.0, false, true)]
    [DataRow(0.1, false, true)]
    [DataRow(0.1, true, true)]
    public void Adam_follows_its_formula(double decay, bool amsgrad, bool decoupled)
    {
        double[] mean = new double[2];
        double[] square = new double[2];
        double[] maximum = new double[2];
        Compare(
            parameter => decoupled
                ? optim.AdamW([parameter], 0.1, 0.8, 0.95, 1e-6, decay, amsgrad)
                : optim.Adam([parameter], 0.1, 0.8, 0.95, 1e-6, decay, amsgrad),
            (weights, gradient, step, rate) =>
            {
                for (int i = 0; i < weights.Length; i++)
                {
                    double g = gradient[i] + (decoupled ? 0 : decay * weights[i]);
                    weights[i] -= decoupled ? rate * decay * weights[i] : 0;
                    mean[i] = (0.8 * mean[i]) + (0.2 * g);
                    square[i] = (0.95 * square[i]) + (0.05 * g * g);
                    maximum[i] = Math.Max(maximum[i], square[i]);
                    double second = (amsgrad ? maximum[i] : square[i]) / (1 - Math.Pow(0.95, step));
                    weights[i] -= rate * mean[i] / (1 - Math.Pow(0.8, step)) / (Math.Sqrt(second) + 1e-6);
                }
            });
    }

    [TestMethod]
    public void A_parameter_without_a_gradient_stays()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter used = nn.Parameter(ones(2));
        Parameter unused = nn.Parameter(ones(2));
        using var adam = optim.Adam([used, unused]);
        used.sum().backward();
        adam.step();
        Assert.AreNotEqual(1f, used[0].item<float>());
        Assert.AreEqual(1f, unused[0].item<float>());
        adam.zero_grad();
        Assert.AreEqual(0f, used.grad!.abs().sum().item<float>());
    }

    [TestMethod]
    public void Groups_have_their_own_rates()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter a = nn.Parameter(zeros(1));
        Parameter b = nn.Parameter(zeros(1));
        using var sgd = optim.SGD([new SGD.ParamGroup([a], lr: 1), new SGD.ParamGroup { Parameters = [b] }], 0.5);
        (a + b).sum().backward();
        sgd.step();
        Assert.AreEqual(-1f, a.item<float>());
        Assert.AreEqual(-0.5f, b.item<float>());
        CollectionAssert.AreEqual(new[] { 1.0, 0.5 }, sgd.ParamGroups.Select(group => group.InitialLearningRate).ToArray());
        Assert.HasCount(2, sgd.parameters().ToArray());
    }

    [TestMethod]
    public void Clipping_bounds_the_norm_and_the_values()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter parameter = nn.Parameter(zeros(2));
        (parameter * torch.tensor(new float[] { 3, 4 })).sum().backward();
        Assert.AreEqual(5, nn.utils.clip_grad_norm_([parameter], 1), 1e-6);
        Assert.AreEqual(1, parameter.grad!.norm().ToDouble(), 1e-5);
        nn.utils.clip_grad_value_([parameter], 0.7);
        Assert.AreEqual(0.7, parameter.grad!.max().ToDouble(), 1e-6);
        Assert.AreEqual(0.7, nn.utils.clip_grad_norm_([parameter], 10, double.PositiveInfinity), 1e-6);
    }

    [TestMethod]
    public void Bad_settings_are_refused()
    {
        using Parameter parameter = nn.Parameter(zeros(1));
        Assert.ThrowsExactly<ArgumentException>(() => optim.SGD([parameter], -1));
        Assert.ThrowsExactly<ArgumentException>(() => optim.SGD([parameter], 0.1, nesterov: true));
        Assert.ThrowsExactly<ArgumentException>(() => optim.Adam([parameter], beta1: 1));
        Assert.ThrowsExactly<ArgumentException>(() => optim.AdamW([parameter], eps: -1));
    }

    private static void Compare(Func<Parameter, optim.Optimizer> make, Action<double[], double[], int, double> formula)
    {
        using DisposeScope scope = NewDisposeScope();
        double[] weights = [0.5, -2];
        Parameter parameter = nn.Parameter(torch.tensor(weights));
        using optim.Optimizer optimizer = make(parameter);
        var random = new Random(1);
        for (int step = 1; step <= Steps; step++)
        {
            double rate = 0.1 / step;
            foreach (optim.ILearningRateController group in optimizer.ParamGroups)
            {
                group.LearningRate = rate;
            }

            double[] gradient = [random.NextDouble() - 0.5, random.NextDouble() - 0.5];
            optimizer.zero_grad();
            (parameter * torch.tensor(gradient)).sum().backward();
            Assert.IsNull(optimizer.step());
            formula(weights, gradient, step, rate);
            double[] actual = parameter.data<double>().ToArray();
            Assert.AreEqual(weights[0], actual[0], 1e-12, $"step {step}");
            Assert.AreEqual(weights[1], actual[1], 1e-12, $"step {step}");
        }
    }
}
