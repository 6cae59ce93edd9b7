using System.Reflection;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>
/// Faults and gaps of TorchSharp that the product works around. A test that fails here is good news: the fault is mended, and what the
/// test names can go.
/// </summary>
[TestClass]
public class TorchSharpFaultTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    /// <summary>How far calls are followed; TorchSharp's functions are no deeper.</summary>
    private const int Depth = 3;

    /// <summary>
    /// A scalar is a native object behind a pointer, which its finalizer frees: with collections in another thread some sums by add(x) come out
    /// wrong or throw, none by add(x, one). What makes it so is looked at instead, since a freed scalar may end the process.
    /// </summary>
    [TestMethod]
    public void A_scalar_is_not_kept_alive_while_native_code_reads_it()
    {
        const string Mended = "; TorchSharp keeps scalars alive: what UpdateRule tells of them can go, its rules be compared with torch.optim again, "
            + "ActivationOperators.Softplus be F.softplus, and sums, squares and the like be written plainly; then this test and the next can go";
        var handle = typeof(Scalar).GetProperty("Handle", Any)!;
        Assert.AreEqual(typeof(nint), handle.PropertyType, "the handle" + Mended);
        Assert.IsNotNull(typeof(Scalar).GetMethod("Finalize", Any | BindingFlags.DeclaredOnly), "the finalizer" + Mended);
        var sum = typeof(Tensor).GetMethod(nameof(Tensor.add), [typeof(Tensor), typeof(Scalar)])!;
        CollectionAssert.Contains(MethodCalls.Of(sum).ToArray(), handle.GetMethod, "add(x, alpha)" + Mended);
        Assert.IsFalse(MethodCalls.Of(sum).Any(called => called.Name is nameof(GC.KeepAlive) or nameof(IDisposable.Dispose)), sum + Mended);
        foreach (var method in Makers().Concat(StepsOfOptimizers()))
        {
            Assert.IsTrue(LeavesScalar(method), method + Mended);
        }
    }

    /// <summary>What the product does about it: it keeps every scalar that it makes, and calls nothing that makes one itself.</summary>
    [TestMethod]
    public void No_scalar_of_the_product_is_left_to_a_collection()
    {
        var deeper = new[] { typeof(Tensor).GetMethod("op_Addition", [typeof(Tensor), typeof(Tensor)])!, typeof(nn.functional).GetMethod("softplus")! };
        foreach (var maker in Makers().Concat(deeper))
        {
            Assert.IsTrue(LeavesScalarWithin(maker, Depth), $"{maker} is seen to make one");
        }

        var wrong = new List<string>();
        foreach (var method in typeof(Network).Assembly.GetTypes().Where(type => !type.IsNested).SelectMany(MethodCalls.Methods))
        {
            wrong.AddRange(LeavesScalar(method) ? [$"{method.DeclaringType}.{method.Name} makes a scalar and does not keep it"] : []);
            wrong.AddRange(MethodCalls.Of(method).Where(called => IsTorchSharps(called) && typeof(optim.Optimizer).IsAssignableFrom(called.DeclaringType))
                .Select(called => $"{method.DeclaringType}.{method.Name} calls {called.DeclaringType}.{called}, whose steps make scalars"));
            wrong.AddRange(MethodCalls.Of(method).Where(called => IsTorchSharps(called) && LeavesScalarWithin(called, Depth))
                .Select(called => $"{method.DeclaringType}.{method.Name} calls {called.DeclaringType}.{called}, which makes a scalar"));
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    [TestMethod]
    public void A_generator_for_a_GPU_draws_as_one_for_the_CPU()
    {
        using var scope = NewDisposeScope();
        var drawn = rand(5, generator: new Generator(7, new Device(DeviceType.CUDA)));
        CollectionAssert.AreEqual(rand(5, generator: new Generator(7)).data<float>().ToArray(), drawn.data<float>().ToArray(),
            "TorchSharp makes generators for GPUs: ActivationOperators.Dropout and LearnedMaskRun can draw where the network runs");
    }

    /// <summary>Not beside other tests: the count is the whole process's.</summary>
    [TestMethod, DoNotParallelize]
    public void A_parameter_is_counted_on_twice_and_off_once()
    {
        var before = Tensor.TotalCount;
        var parameter = new TorchSharp.Modules.Parameter(zeros(1));
        Assert.AreEqual(before + 2, Tensor.TotalCount, "TorchSharp counts parameters once: so can MemoryTests");
        parameter.Dispose();
        Assert.AreEqual(before + 1, Tensor.TotalCount, "TorchSharp counts parameters off: so can MemoryTests");
    }

    [TestMethod]
    public void Recurrent_layers_are_modules_only()
    {
        var functions = new[] { typeof(torch), typeof(nn.functional), typeof(Tensor) }.SelectMany(type => type.GetMethods(Any)).Select(method => method.Name);
        Assert.IsFalse(functions.Any(name => name is "lstm" or "gru" or "rnn_tanh" or "rnn_relu"),
            "TorchSharp has recurrent layers as functions: RecurrentOperators can try them");
    }

    private static IEnumerable<MethodBase> Makers() =>
    [
        typeof(Tensor).GetMethod(nameof(Tensor.add), [typeof(Tensor)])!, typeof(Tensor).GetMethod(nameof(Tensor.add_), [typeof(Tensor)])!,
        typeof(Tensor).GetMethod(nameof(Tensor.add), [typeof(Scalar)])!, typeof(Tensor).GetMethod(nameof(Tensor.square), [])!,
    ];

    private static IEnumerable<MethodBase> StepsOfOptimizers()
        => new[] { typeof(Adam), typeof(AdamW) }.SelectMany(MethodCalls.Methods).Where(method => method.Name.StartsWith("<step>"));

    private static bool IsTorchSharps(MethodBase method)
        => method.Module == typeof(torch).Module && method.DeclaringType != typeof(Scalar) && method.DeclaringType != typeof(ScalarExtensionMethods)
            && method.GetMethodBody() is not null;

    /// <summary>Whether it makes a scalar and hands it on without storing it first.</summary>
    private static bool LeavesScalar(MethodBase method)
    {
        var made = false;
        foreach (var (code, called) in MethodCalls.Instructions(method))
        {
            if (made && !code.Name!.StartsWith("st"))
            {
                return true;
            }

            made = called is MethodInfo { Name: "op_Implicit" or "ToScalar" } maker && maker.ReturnType == typeof(Scalar);
        }

        return false;
    }

    /// <summary>Whether it does so, or calls what does.</summary>
    private static bool LeavesScalarWithin(MethodBase method, int depth)
        => LeavesScalar(method) || (depth > 0 && MethodCalls.Of(method).Any(called => IsTorchSharps(called) && LeavesScalarWithin(called, depth - 1)));
}
