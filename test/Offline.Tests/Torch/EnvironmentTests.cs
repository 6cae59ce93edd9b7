using TorchSharp.Interop;
using static TorchSharp.torch;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
[DoNotParallelize]
public class EnvironmentTests
{
    [TestMethod]
    public void Libtorch_calls_a_fast_blas()
    {
        // Another libtorch than the system's brings its own BLAS along.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("LIBTORCH")))
        {
            Assert.IsNotNull(OpenBlas.Configuration, "libtorch calls the reference BLAS: libopenblas0-pthread is missing");
        }
    }

    [TestMethod]
    public void The_version_is_one_the_shim_is_written_for()
        => Assert.IsGreaterThanOrEqualTo(new Version(1, 13), Version.Parse(__version__.Split('+', 'a')[0]));

    [TestMethod]
    public void Threads_are_set_where_they_are_asked_for()
    {
        int before = get_num_threads();
        try
        {
            set_num_threads(2);
            Assert.AreEqual(2, get_num_threads());
            set_num_threads(1);
            Assert.AreEqual(1, get_num_threads());
            Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => set_num_threads(0));
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
