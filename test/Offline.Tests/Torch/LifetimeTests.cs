using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
[DoNotParallelize]
public class LifetimeTests
{
    // The counts are the process's: what earlier tests left to the collector goes first.
    [TestInitialize]
    public void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [TestMethod]
    public void A_scope_frees_everything_made_in_it()
    {
        ThreadDisposeScopeStatistics statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        Tensor kept;
        using (DisposeScope outer = NewDisposeScope())
        {
            Tensor moved;
            using (DisposeScope inner = NewDisposeScope())
            {
                Tensor a = zeros(10);
                Tensor b = a + 1;
                moved = (b * 2).MoveToOuterDisposeScope();
                kept = (b * 3).DetachFromDisposeScope();
                Assert.AreEqual(2, inner.DisposablesCount);
                a.Dispose();
                Assert.AreEqual(1, inner.DisposablesCount);
            }

            Assert.IsFalse(moved.IsInvalid);
            Assert.AreEqual(1, outer.DisposablesCount);
            Assert.AreEqual(1, statistics.DetachedFromScopeCount);
            Assert.AreEqual(2, statistics.ThreadTotalLiveCount);
        }

        Assert.AreEqual(30f, kept.sum().item<float>());
        kept.Dispose();
        Assert.AreEqual(4, statistics.CreatedInScopeCount);
        Assert.IsNull(CurrentDisposeScope);
    }

    [TestMethod]
    public void A_disposed_scope_is_refused()
    {
        DisposeScope scope = NewDisposeScope();
        scope.Dispose();
        scope.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => scope.DisposablesCount);
        Assert.ThrowsExactly<ObjectDisposedException>(() => scope.DisposeEverything());
    }

    [TestMethod]
    public void Training_leaks_nothing()
    {
        long before = Tensor.TotalCount;
        DisposeScopeManager.Statistics.Reset();
        using (DisposeScope scope = NewDisposeScope())
        {
            Parameter weight = nn.Parameter(randn(4, 3));
            using var adam = optim.AdamW([weight], amsgrad: true);
            using var sgd = optim.SGD([weight], 0.1, momentum: 0.9);
            for (int i = 0; i < 10; i++)
            {
                using DisposeScope step = NewDisposeScope();
                nn.functional.linear(ones(2, 3), weight).pow(2).mean().backward();
                nn.utils.clip_grad_norm_([weight], 1);
                adam.step();
                sgd.step();
                adam.zero_grad();
            }
        }

        Assert.AreEqual(0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.AreEqual(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void A_module_frees_its_parameters()
    {
        long before = Tensor.TotalCount;
        using (DisposeScope scope = NewDisposeScope())
        using (Sequential network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)))
        {
            network.call(randn(3, 4)).sum().backward();
        }

        Assert.AreEqual(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void The_collector_frees_what_nobody_disposed()
    {
        long before = Tensor.TotalCount;
        MakeGarbage();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.AreEqual(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void Memory_pressure_makes_the_collector_run_in_time()
    {
        // 4 GB of tensors behind 100 kB of managed objects.
        for (int i = 0; i < 1000; i++)
        {
            _ = zeros(1 << 20);
        }

        Assert.IsLessThan(2L << 30, Environment.WorkingSet);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeGarbage()
    {
        for (int i = 0; i < 100; i++)
        {
            _ = zeros(1000);
        }
    }
}
