using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Training;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>What the library sets in libtorch and in the C library before and while it trains.</summary>
[TestClass]
public class NativeSettingsTests
{
    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void The_native_libraries_find_what_the_library_sets()
    {
        if (OperatingSystem.IsWindows())
        foreach (var (name, value) in new[] { ("MKL_CBWR", "AUTO"), ("OMP_WAIT_POLICY", "PASSIVE") })
        {
            Assert.AreEqual(Environment.GetEnvironmentVariable(name) ?? value, Marshal.PtrToStringUTF8(getenv(name)), "what the user has set stays");
        }
    }

    /// <summary>Without MKL_CBWR a sixth of such products differed in their last bits on an Intel processor; on AMD's none did.</summary>
    [TestMethod]
    public void Products_do_not_depend_on_where_operands_lie()
    {
        var random = new Random(1);
        foreach (var (rows, inner, columns) in new[] { (64, 300, 100), (37, 784, 300), (1, 100, 10), (16, 33, 7) })
        {
            var (left, right) = (Draw(rows * inner), Draw(inner * columns));
            var expected = Product(0, 0);
            for (var shift = 0; shift < 32; shift++)
            {
                CollectionAssert.AreEqual(expected, Product(shift, 31 - shift), $"{rows} x {inner} x {columns}, moved by {shift}");
            }

            float[] Product(int leftAt, int rightAt)
            {
                using var scope = NewDisposeScope();
                return [.. Place(left, leftAt).view(rows, inner).matmul(Place(right, rightAt).view(columns, inner).t()).contiguous().data<float>()];
            }
        }

        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];

        static Tensor Place(float[] values, int at)
        {
            var memory = empty(values.Length + 32);
            var place = memory.narrow(0, at, values.Length);
            place.copy_(tensor(values));
            return place;
        }
    }

    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint getenv(string name);

    [TestMethod]
    public void A_network_gets_the_threads_that_its_work_keeps_busy()
    {
        Assert.AreEqual(1, TorchThreads.Worth(Network.Mlp(64, 300, 100, 10), 64));
        Assert.AreEqual(1, TorchThreads.Worth(Network.Sequential([4], Layer.Relu()), 64), "no layer with weights");
        var large = TorchThreads.Worth(Network.Mlp(8192, 8192, 8192), 1024);
        Assert.AreEqual(Environment.ProcessorCount, large);
        Assert.IsGreaterThanOrEqualTo(TorchThreads.Worth(Network.Mlp(1200, 1200, 10), 128), large);
    }

    /// <summary>Alone: others that train hold the number that this test sets.</summary>
    [TestMethod]
    [DoNotParallelize]
    public void Training_leaves_the_number_of_threads_as_it_was()
    {
        // A thread of its own: libtorch keeps the number by thread.
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                set_num_threads(2);
                using (new TorchThreads(worth: 1))
                {
                    Assert.AreEqual(1, get_num_threads());
                    using (new TorchThreads(worth: 8))
                    {
                        Assert.AreEqual(2, get_num_threads(), "never more than there were");
                    }

                    Assert.AreEqual(1, get_num_threads(), "as the outer one holds it");
                }

                Assert.AreEqual(2, get_num_threads());
                var data = new TrainingData(4);
                for (var row = 0; row < 8; row++)
                {
                    data.Next().Fill(row);
                    data.Add(row % 2);
                }

                data.Split(validationFraction: 0, seed: 1);
                var network = Network.Mlp(4, 3, 2).Initialize(1);
                var loop = new TrainingLoop(data, new TrainingOptions { Epochs = 1 }, LearningTask.Multiclass, CPU, _ => { });
                loop.Run(network, ImmutableDictionary<string, WeightMask>.Empty, seed: 1);
                Assert.AreEqual(2, get_num_threads());
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new AssertFailedException(failure.Message, failure);
        }
    }
}
