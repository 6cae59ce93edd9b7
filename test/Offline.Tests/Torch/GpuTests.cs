using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
[TestCategory("GPU")]
[RequiresCuda]
[DoNotParallelize]
public class GpuTests
{
    [TestMethod]
    public void A_step_on_the_gpu_is_the_step_on_the_cpu()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        Tensor start = randn(4, 3, float64, generator: generator);
        Tensor input = randn(5, 3, float64, generator: generator);
        double[] expected = Train(start, input, CPU);
        double[] actual = Train(start, input, CUDA);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], 1e-9);
        }
    }

    [TestMethod]
    public void A_gpu_generator_repeats_itself()
    {
        using DisposeScope scope = NewDisposeScope();
        using var a = new Generator(3, CUDA);
        using var b = new Generator(3, CUDA);
        Assert.IsTrue(rand(100, device: CUDA, generator: a).Equals(rand(100, device: CUDA, generator: b)));
        cuda.synchronize();
    }

    private static double[] Train(Tensor start, Tensor input, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter weight = nn.Parameter(start.to(device, copy: true));
        Tensor batch = input.to(device);
        using var adam = optim.Adam([weight], 0.05);
        for (int i = 0; i < 5; i++)
        {
            adam.zero_grad();
            F.linear(batch, weight).tanh().pow(2).mean().backward();
            nn.utils.clip_grad_norm_([weight], 0.1);
            adam.step();
        }

        return weight.cpu().data<double>().ToArray();
    }
}
