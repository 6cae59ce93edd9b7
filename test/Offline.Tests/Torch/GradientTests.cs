using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Offline.Tests.Torch;

/// <summary>Gradients against central differences of the same function, in double precision.</summary>
[TestClass]
public class GradientTests
{
    private static readonly Dictionary<string, (long[][] Shapes, Func<Tensor[], Tensor> Function)> s_cases = new()
    {
        ["linear"] = ([[3, 4], [2, 4], [2]], t => F.linear(t[0], t[1], t[2])),
        ["conv1d"] = ([[2, 2, 7], [3, 2, 3], [3]], t => F.conv1d(t[0], t[1], t[2], stride: 2, padding: 1)),
        ["conv2d"] = ([[2, 4, 5, 6], [4, 2, 3, 2], [4]], t => F.conv2d(t[0], t[1], t[2], [2, 1], [1, 0], [1, 2], groups: 2)),
        ["conv_transpose2d"] = ([[1, 2, 3, 3], [2, 3, 2, 2]], t => F.conv_transpose2d(t[0], t[1], null, [2, 2], [1, 1])),
        ["batch_norm"] = ([[4, 3], [3], [3]], t => F.batch_norm(t[0], zeros(3, float64), ones(3, float64), t[1], t[2], training: true)),
        ["layer_norm"] = ([[4, 3], [3], [3]], t => F.layer_norm(t[0], [3], t[1], t[2])),
        ["group_norm"] = ([[2, 4, 3], [4], [4]], t => F.group_norm(t[0], 2, t[1], t[2])),
        ["avg_pool2d"] = ([[1, 2, 5, 5]], t => F.avg_pool2d(t[0], [2, 2], [1, 2], [1, 1])),
        ["max_pool2d"] = ([[1, 2, 5, 5]], t => F.max_pool2d(t[0], 2, 1)),
        ["adaptive_avg_pool2d"] = ([[1, 2, 5, 7]], t => F.adaptive_avg_pool2d(t[0], (2, 3))),
        ["gelu"] = ([[10]], t => F.gelu(t[0])),
        ["silu"] = ([[10]], t => F.silu(t[0])),
        ["leaky_relu"] = ([[10]], t => F.leaky_relu(t[0], 0.2)),
        ["tanh"] = ([[10]], t => F.tanh(t[0])),
        ["hardswish"] = ([[10]], t => F.hardswish(t[0])),
        ["softmax"] = ([[2, 5]], t => F.softmax(t[0], 1)),
        ["cross_entropy"] = ([[3, 4]], t => F.cross_entropy(t[0], torch.tensor(new long[] { 1, 0, 3 }), label_smoothing: 0.1)),
        ["bce"] = ([[6]], t => F.binary_cross_entropy_with_logits(t[0], torch.tensor(new double[] { 0, 1, 0, 1, 1, 0 }))),
        ["mse"] = ([[6], [6]], t => F.mse_loss(t[0], t[1], Reduction.Sum)),
        ["smooth_l1"] = ([[6], [6]], t => F.smooth_l1_loss(t[0], t[1], beta: 0.5)),
        ["kl_div"] = ([[2, 3], [2, 3]], t => F.kl_div(t[0].log_softmax(1), t[1].log_softmax(1), log_target: true)),
        ["bilinear"] = ([[1, 1, 3, 4]], t => F.interpolate(t[0], [6, 5], mode: InterpolationMode.Bilinear, align_corners: true)),
        ["reflect"] = ([[1, 2, 4, 4]], t => F.pad(t[0], (1, 2, 1, 0), PaddingModes.Reflect)),
        ["index"] = ([[5, 2]], t => t[0].index_select(0, torch.tensor(new long[] { 4, 0, 4 }))),
        ["bmm"] = ([[2, 3, 4], [2, 4, 2]], t => t[0].bmm(t[1])),
    };

    public static IEnumerable<object[]> Cases => s_cases.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Gradients_agree_with_finite_differences(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(3);
        (long[][] shapes, Func<Tensor[], Tensor> function) = s_cases[name];
        Tensor[] inputs = [.. shapes.Select(shape => randn(shape, float64, generator: generator).requires_grad_())];
        Tensor output = function(inputs);
        Tensor weights = randn(output.shape, float64, generator: generator);
        (output * weights).sum().backward();

        using IDisposable mode = no_grad();
        foreach (Tensor input in inputs)
        {
            double[] analytic = input.grad!.contiguous().data<double>().ToArray();
            var values = input.data<double>();
            for (long i = 0; i < analytic.Length; i++)
            {
                const double Step = 1e-6;
                double original = values[i];
                values[i] = original + Step;
                double above = (function(inputs) * weights).sum().ToDouble();
                values[i] = original - Step;
                double below = (function(inputs) * weights).sum().ToDouble();
                values[i] = original;
                Assert.AreEqual((above - below) / (2 * Step), analytic[i], 1e-6, $"{name}, element {i}");
            }
        }
    }

    [TestMethod]
    public void No_gradient_is_recorded_where_none_is_wanted()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = ones(2).requires_grad_();
        using (no_grad())
        {
            Assert.IsFalse(is_grad_enabled());
            Assert.IsFalse((weight * 2).requires_grad);
            using (enable_grad())
            {
                Assert.IsTrue((weight * 2).requires_grad);
            }

            Assert.IsFalse(is_grad_enabled());
        }

        using (inference_mode())
        {
            Assert.IsTrue(is_inference_mode_enabled());
            Assert.IsFalse((weight * 2).requires_grad);
        }

        Assert.IsFalse(is_inference_mode_enabled());
        Assert.IsTrue(is_grad_enabled());
        Assert.IsFalse((weight * 2).detach().requires_grad);
    }

    [TestMethod]
    public void Gradients_add_up_until_they_are_taken_away()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = ones(2).requires_grad_();
        Assert.IsNull(weight.grad);
        (weight * 3).sum().backward();
        (weight * 4).sum().backward();
        CollectionAssert.AreEqual(new float[] { 7, 7 }, weight.grad!.data<float>().ToArray());
        weight.grad = null;
        Assert.IsNull(weight.grad);
        Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => weight.grad = zeros(3));
        Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => (weight * 2).backward());
        IList<Tensor?> gradients = autograd.grad([(weight * weight).sum()], [weight]);
        CollectionAssert.AreEqual(new float[] { 2, 2 }, gradients[0]!.data<float>().ToArray());
    }
}
