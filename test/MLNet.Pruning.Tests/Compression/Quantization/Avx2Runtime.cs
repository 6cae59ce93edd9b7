using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>
/// A second ONNX Runtime in this process, which takes the processor for one without AVX-512 and VNNI: integers then go through the kernels for AVX2, which
/// add pairs of products of bytes in 16 bits. In a copy of its library, what asks the processor for the registers that the system saves (XGETBV) says 7,
/// those of SSE and AVX. x64 on Linux and Windows, as libraries of macOS are signed.
/// </summary>
internal sealed class Avx2Runtime : AssemblyLoadContext
{
    private const string Managed = "Microsoft.ML.OnnxRuntime";

    private static readonly Lazy<Avx2Runtime> s_context = new(() => new());

    private readonly string _library = Path.Combine(Directory.CreateTempSubdirectory().FullName, Library);

    private Avx2Runtime()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "runtimes", OperatingSystem.IsWindows() ? "win-x64" : "linux-x64", "native");
        File.WriteAllBytes(_library, WithoutAvx512(File.ReadAllBytes(Path.Combine(folder, Library))));
    }

    /// <summary>Whether there is a library whose instructions are known.</summary>
    public static bool IsAvailable => RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64
        && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows());

    private static string Library => OperatingSystem.IsWindows() ? "onnxruntime.dll" : "libonnxruntime.so";

    /// <summary>Calls a static method with that ONNX Runtime; what goes in and comes out is of .NET's own types.</summary>
    public static T Call<T>(Delegate method, params object[] arguments)
    {
        var type = method.Method.DeclaringType!;
        return (T)s_context.Value.LoadFromAssemblyPath(type.Assembly.Location).GetType(type.FullName!)!
            .GetMethod(method.Method.Name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.Invoke(null, arguments)!;
    }

    protected override Assembly? Load(AssemblyName assemblyName)
        => assemblyName.Name == Managed ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, Managed + ".dll")) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName)
        => unmanagedDllName.Contains("onnxruntime", StringComparison.Ordinal) ? LoadUnmanagedDllFromPath(_library) : 0;

    private static byte[] WithoutAvx512(byte[] library)
    {
        byte[] question = [0x0f, 0x01, 0xd0], answer = [0x6a, 0x07, 0x58]; // xgetbv; push 7, pop rax
        byte[][] before = [[0x31, 0xc9], [0x33, 0xc9]]; // xor ecx, ecx
        byte[][] after = [[0x89, 0xc0, 0x48, 0xc1, 0xe2, 0x20], [0x48, 0xc1, 0xe2, 0x20]]; // mov eax, eax; shl rdx, 32
        var found = 0;
        for (var at = 2; library.AsSpan(at).IndexOf(question) is >= 0 and var step; at++)
        {
            at += step;
            if (before.Any(bytes => library.AsSpan(at - bytes.Length).StartsWith(bytes))
                || after.Any(bytes => library.AsSpan(at + question.Length).StartsWith(bytes)))
            {
                answer.CopyTo(library, at);
                found++;
            }
        }

        return found > 0 ? library : throw new InvalidOperationException($"{Library} asks nowhere for the registers of the processor that the system saves.");
    }
}
