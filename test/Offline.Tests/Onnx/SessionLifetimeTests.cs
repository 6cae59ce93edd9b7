using System.Runtime.CompilerServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Offline.Tests.Onnx;

[TestClass]
[DoNotParallelize]
public sealed class SessionLifetimeTests
{
    private static readonly RunOptions Options = new();

    [TestMethod]
    public void What_is_disposed_of_is_refused()
    {
        var session = new InferenceSession(Fixture.Path("linear.onnx"));
        OrtValue value = OrtValue.CreateTensorValueFromMemory(new float[3], [1, 3]);
        NamedOnnxValue named = NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>([1, 3]));
        var results = session.Run([named]);
        Tensor<float> scores = results[0].AsTensor<float>()!;
        DisposableNamedOnnxValue score = results[0];
        Assert.AreEqual(0.25f, scores[0, 0]);
        results.Dispose();
        results.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => scores[0, 0]);
        Assert.ThrowsExactly<ObjectDisposedException>(() => ((DenseTensor<float>)scores).Buffer.Pin());
        score.Name = "Features";
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run([score]));

        value.Dispose();
        value.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => value.GetTensorDataAsSpan<float>().Length);
        Assert.ThrowsExactly<ObjectDisposedException>(() => value.GetTensorTypeAndShape());
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(Options, ["Features"], [value], ["Score"]));

        var disposed = new RunOptions();
        disposed.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run([named], ["Score"], disposed));
        var options = new SessionOptions();
        options.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => options.LogId = "x");
        Assert.ThrowsExactly<ObjectDisposedException>(() => new InferenceSession(Fixture.Path("linear.onnx"), options));

        session.Dispose();
        session.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run([named]));
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.ModelMetadata);
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.EndProfiling());
        CollectionAssert.AreEqual(new[] { "Features" }, session.InputNames.ToArray());
    }

    [TestMethod]
    public void Shared_objects_outlive_their_disposal()
    {
        OrtEnv.Instance().Dispose();
        OrtMemoryInfo.DefaultInstance.Dispose();
        OrtAllocator.DefaultInstance.Dispose();
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>([1, 3]))]);
        Assert.AreEqual(0.25f, results[0].AsTensor<float>()![0, 0]);
    }

    [TestMethod]
    public void A_run_outlives_the_disposal_of_what_it_runs_on()
    {
        for (int trial = 0; trial < 50; trial++)
        {
            var session = new InferenceSession(Fixture.Path("linear.onnx"));
            OrtValue value = OrtValue.CreateTensorValueFromMemory(new float[30_000], [10_000, 3]);
            var running = Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        using var results = session.Run(Options, ["Features"], [value], ["Score"]);
                    }
                }
                catch (ObjectDisposedException)
                {
                    return true;
                }
            });
            Thread.Sleep(trial % 3);
            (trial % 2 == 0 ? (IDisposable)session : value).Dispose();
            Assert.IsTrue(running.Result);
            session.Dispose();
            value.Dispose();
        }
    }

    [TestMethod]
    public void A_bound_run_allocates_nothing()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(new float[3], [1, 3]);
        using OrtValue output = OrtValue.CreateTensorValueFromMemory(new float[2], [1, 2]);
        string[] inputNames = ["Features"];
        string[] outputNames = ["Score"];
        OrtValue[] inputs = [input];
        OrtValue[] outputs = [output];
        void Run()
        {
            for (int i = 0; i < 1000; i++)
            {
                session.Run(Options, inputNames, inputs, outputNames, outputs);
            }
        }

        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.AreEqual(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Memory_is_flat_over_sessions(bool disposing)
    {
        Sessions(50, disposing);
        long before = ResidentBytes();
        Sessions(300, disposing);
        long grown = ResidentBytes() - before;
        Assert.IsLessThan(8L << 20, grown, $"300 sessions grew the process by {grown} bytes");
    }

    // What nobody disposes of is the collector's.
    private static void Sessions(int count, bool disposing)
    {
        byte[] model = Fixture.Bytes("linear.onnx");
        for (int i = 0; i < count; i++)
        {
            One(model, disposing);
            if (!disposing && i % 10 == 0)
            {
                Collect();
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void One(byte[] model, bool disposing)
    {
        // One thread each: thread pools cost more than the sessions.
        var options = new SessionOptions { IntraOpNumThreads = 1 };
        var session = new InferenceSession(model, options);
        var results = session.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>([1000, 3]))]);
        Assert.HasCount(2, results);
        if (disposing)
        {
            results.Dispose();
            session.Dispose();
            options.Dispose();
        }
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static long ResidentBytes()
    {
        Collect();
        Collect();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
