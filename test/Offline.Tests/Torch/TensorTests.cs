using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
public class TensorTests
{
    [TestMethod]
    public void Arrays_come_in_and_go_out_unchanged()
    {
        using DisposeScope scope = NewDisposeScope();
        float[] values = [1, 2, 3, 4, 5, 6];
        Tensor tensor = torch.tensor(values, [2L, 3]);
        CollectionAssert.AreEqual(new long[] { 2, 3 }, tensor.shape);
        CollectionAssert.AreEqual(values, tensor.data<float>().ToArray());
        CollectionAssert.AreEqual(values, MemoryMarshal.Cast<byte, float>(tensor.bytes).ToArray());
        Assert.AreEqual(6f, tensor.data<float>()[1, 2]);

        // A copy: the array's later changes do not show.
        values[0] = 100;
        Assert.AreEqual(1f, tensor[0, 0].item<float>());

        float[,] matrix = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
        CollectionAssert.AreEqual(new long[] { 3, 2 }, from_array(matrix).shape);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4, 5, 6 }, from_array(matrix).data<float>().ToArray());
        using (Tensor shared = from_array(matrix), copied = torch.tensor(matrix), view = shared.view(6))
        {
            matrix[0, 0] = 9;
            Assert.AreEqual(9, view[0].ToSingle(), "from_array lives on the array");
            Assert.AreEqual(1, copied[0, 0].ToSingle());
        }
    }

    [TestMethod]
    public void A_buffer_is_shared_and_pinned_for_as_long_as_its_tensor_lives()
    {
        using DisposeScope scope = NewDisposeScope();
        var values = new float[1000];
        Tensor tensor = frombuffer(values, ScalarType.Float32, count: 10, offset: 5);
        values[5] = 42;
        Assert.AreEqual(42f, tensor[0].item<float>());
        tensor.fill_(7);
        GC.Collect();
        Assert.AreEqual(7f, values[14]);
        Assert.AreEqual(0f, values[15]);
        Assert.ThrowsExactly<IndexOutOfRangeException>(() => frombuffer(values, ScalarType.Float32, count: 1000, offset: 5));
    }

    [TestMethod]
    public void Bytes_write_into_the_tensor()
    {
        using Tensor tensor = empty(2, 2);
        new float[] { 1, 2, 3, 4 }.CopyTo(MemoryMarshal.Cast<byte, float>(tensor.bytes));
        Assert.AreEqual(10f, tensor.sum().item<float>());
        Assert.ThrowsExactly<ArgumentException>(() => tensor.bytes = new byte[15]);
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.t().bytes.Clear());
    }

    [TestMethod]
    public void A_strided_tensor_reads_in_its_own_order()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = torch.tensor(new float[] { 1, 2, 3, 4, 5, 6 }, [2L, 3]).t();
        CollectionAssert.AreEqual(new float[] { 1, 4, 2, 5, 3, 6 }, tensor.data<float>().ToArray());
        var target = new float[3];
        tensor.data<float>().CopyTo(target, tensorIndex: 2);
        CollectionAssert.AreEqual(new float[] { 2, 5, 3 }, target);
    }

    [TestMethod]
    public void Operators_agree_with_arithmetic()
    {
        using DisposeScope scope = NewDisposeScope();
        double[] a = [0.5, -1.25, 3, 2];
        double[] b = [2, 4, -0.5, 8];
        Tensor x = torch.tensor(a);
        Tensor y = torch.tensor(b);
        Check(x + y, i => a[i] + b[i]);
        Check(x - y, i => a[i] - b[i]);
        Check(x * y, i => a[i] * b[i]);
        Check(x / y, i => a[i] / b[i]);
        Check(3 - x, i => 3 - a[i]);
        Check(3 / x, i => 3 / a[i]);
        Check(-x * 2 + 1, i => (-a[i] * 2) + 1);
        Check(x.pow(2), i => a[i] * a[i]);
        Check(x.abs().sqrt().exp().log(), i => Math.Sqrt(Math.Abs(a[i])));
        Check(x.sigmoid(), i => 1 / (1 + Math.Exp(-a[i])));
        Check(x.tanh(), i => Math.Tanh(a[i]));
        Check(x.clamp(-1, 2), i => Math.Clamp(a[i], -1, 2));
        Check(x.maximum(y), i => Math.Max(a[i], b[i]));
        Check(x.where(x > 1, y), i => a[i] > 1 ? a[i] : b[i]);
        Check(x.masked_fill(x < 0, 9), i => a[i] < 0 ? 9 : a[i]);
        Check(x.clone().add_(y, 0.5).mul_(2).sub_(1).div_(4), i => ((((a[i] + (0.5 * b[i])) * 2) - 1) / 4));
        Check(x.clone().addcmul_(y, y, 0.5), i => a[i] + (0.5 * b[i] * b[i]));
        Check(x.clone().addcdiv_(x, y, -2), i => a[i] - (2 * a[i] / b[i]));
        Check(x.softmax(0), i => Math.Exp(a[i]) / a.Sum(Math.Exp));
        Check(x.log_softmax(0), i => a[i] - Math.Log(a.Sum(Math.Exp)));
    }

    [TestMethod]
    public void Reductions_agree_with_their_definitions()
    {
        using DisposeScope scope = NewDisposeScope();
        double[] a = [3, -1, 4, 1, -5, 9];
        Tensor x = torch.tensor(a, [2L, 3]);
        Assert.AreEqual(11, x.sum().ToDouble());
        Assert.AreEqual(11.0 / 6, x.mean().ToDouble(), 1e-12);
        Assert.AreEqual(9, x.max().ToDouble());
        Assert.AreEqual(-5, x.min().ToDouble());
        Assert.AreEqual(5L, x.argmax().ToInt64());
        Assert.AreEqual(Math.Sqrt(a.Sum(v => v * v)), x.norm().ToDouble(), 1e-12);
        Assert.AreEqual(a.Sum(Math.Abs), x.norm(1f).ToDouble(), 1e-12);
        CollectionAssert.AreEqual(new double[] { 6, 5 }, x.sum(1).data<double>().ToArray());
        CollectionAssert.AreEqual(new double[] { 4, -6, 13 }, x.sum(0L).data<double>().ToArray());
        (Tensor values, Tensor indices) = x.topk(2);
        CollectionAssert.AreEqual(new double[] { 4, 3, 9, 1 }, values.data<double>().ToArray());
        CollectionAssert.AreEqual(new long[] { 2, 0, 2, 0 }, indices.data<long>().ToArray());
        Assert.IsTrue(x.isfinite().all().item<bool>());
        Assert.IsTrue((x / 0).isinf().any().item<bool>());
    }

    [TestMethod]
    public void Shapes_and_indices()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = arange(24).reshape(2, 3, 4);
        Assert.AreEqual(17L, x[1, 1, 1].ToInt64());
        CollectionAssert.AreEqual(new long[] { 4, 2, 3 }, x.permute(2, 0, 1).shape);
        CollectionAssert.AreEqual(new long[] { 2, 12 }, x.flatten(1).shape);
        CollectionAssert.AreEqual(new long[] { 13, 17, 21 }, x[1, .., 1].data<long>().ToArray());
        CollectionAssert.AreEqual(new long[] { 8, 9, 10, 11, 0, 1, 2, 3 }, x[0].index_select(0, torch.tensor(new long[] { 2, 0 })).data<long>().ToArray());
        CollectionAssert.AreEqual(new long[] { 2, 2, 4 }, x.narrow(1, 1, 2).shape);
        CollectionAssert.AreEqual(new long[] { 4, 3, 4 }, cat([x, x]).shape);
        CollectionAssert.AreEqual(new long[] { 2, 2, 3, 4 }, stack([x, x]).shape);
        Assert.HasCount(3, x.unbind(1));
        x[0, 0, 0] = 100;
        Assert.AreEqual(100L, x.max().ToInt64());
    }

    [TestMethod]
    public void Errors_are_exceptions_with_libtorchs_message()
    {
        using DisposeScope scope = NewDisposeScope();
        ExternalException exception = Assert.ThrowsExactly<ExternalException>(() => randn(2, 3).matmul(randn(2, 3)));
        Assert.Contains("mat1 and mat2 shapes cannot be multiplied", exception.Message);
        Assert.DoesNotContain("frame #", exception.Message);
        Assert.ThrowsExactly<ExternalException>(() => zeros(3).view(2, 2));
        Assert.ThrowsExactly<ExternalException>(() => zeros(3).index_select(0, torch.tensor(new long[] { 7 })));
        Assert.ThrowsExactly<ExternalException>(() => zeros(-1));
        Assert.ThrowsExactly<ExternalException>(() => zeros(long.MaxValue / 8));
        Assert.ThrowsExactly<ArgumentException>(() => torch.tensor(new float[3], [2L, 2]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => torch.tensor(new float[3], [-1L]));
        Assert.ThrowsExactly<OverflowException>(() => torch.tensor(new float[3], [long.MaxValue, 4L]));
        Assert.ThrowsExactly<ArgumentException>(() => zeros(3).data<double>());
        Assert.ThrowsExactly<ArgumentException>(() => zeros(3).item<float>());
        Assert.ThrowsExactly<IndexOutOfRangeException>(() => zeros(3).data<float>()[3]);
        Assert.ThrowsExactly<IndexOutOfRangeException>(() => zeros(3, 3).data<float>()[0, -1]);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => zeros(3).data<float>().CopyTo(new float[3], tensorIndex: 3));
    }

    [TestMethod]
    public void No_argument_brings_the_process_down()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = randn(2, 4, 8, 8);
        Tensor filter = randn(4, 4, 3, 3);
        Tensor outside = torch.tensor(new long[] { 99, -99 });
        Action[] calls =
        [
            () => nn.functional.conv2d(image, filter, groups: 0),
            () => nn.functional.conv2d(image, filter, strides: [0, 0]),
            () => nn.functional.group_norm(image, 0),
            () => nn.functional.max_pool2d(image, 0L),
            () => nn.functional.avg_pool2d(image, 2, 0),
            () => nn.functional.cross_entropy(randn(2, 3), outside),
            () => nn.functional.interpolate(image, [-1, 4]),
            () => image.chunk(0),
            () => image.slice(0, 0, 2, 0),
            () => randn(6).gather(0, outside),
            () => randn(6).scatter_(0, outside, ones(2)),
            () => torch.tensor(new long[] { 1 }).div(torch.tensor(new long[] { 0 }), RoundingMode.floor),
            () => zeros([3], device: META).cpu(),
            () => cat([]),
            () => zeros([3], (ScalarType)(-3)),
        ];
        foreach (Action call in calls)
        {
            Assert.Throws<Exception>(call);
        }
    }

    [TestMethod]
    public void A_disposed_tensor_is_refused_everywhere()
    {
        Tensor tensor = zeros(3);
        var accessor = tensor.data<float>();
        tensor.Dispose();
        tensor.Dispose();
        Assert.IsTrue(tensor.IsInvalid);
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor + 1);
        Assert.ThrowsExactly<InvalidOperationException>(() => cat([tensor, tensor]));
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.shape);
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.backward());
        Assert.ThrowsExactly<InvalidOperationException>(() => tensor.bytes.Clear());
        Assert.ThrowsExactly<InvalidOperationException>(() => accessor[0]);
        Assert.ThrowsExactly<InvalidOperationException>(() => accessor.ToArray());
    }

    [TestMethod]
    public void A_device_that_is_not_there_is_refused()
    {
        if (!cuda.is_available())
        {
            Assert.AreEqual(0, cuda.device_count());
            Assert.ThrowsExactly<InvalidOperationException>(() => device("cuda:0"));
            Assert.ThrowsExactly<InvalidOperationException>(() => zeros(2).cuda());
            Assert.ThrowsExactly<InvalidOperationException>(() => zeros(2, device: new Device(DeviceType.CUDA)));
        }

        Assert.AreEqual("cpu", CPU.ToString());
        Assert.AreEqual(DeviceType.CPU, device("cpu").type);
    }

    private static void Check(Tensor actual, Func<int, double> expected)
    {
        double[] values = actual.data<double>().ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            Assert.AreEqual(expected(i), values[i], 1e-12 * Math.Max(1, Math.Abs(expected(i))));
        }
    }
}
