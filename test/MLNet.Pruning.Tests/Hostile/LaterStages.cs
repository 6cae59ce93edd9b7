using System.Diagnostics;
using Google.Protobuf;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>All that is done with a file after it was read: each stage ends, or throws what its documentation names.</summary>
internal static class LaterStages
{
    /// <returns>Whether the file was accepted; it is refused by <see cref="OnnxFormatException"/> alone.</returns>
    /// <exception cref="AssertFailedException">A stage threw what its documentation does not name.</exception>
    public static bool Run(byte[] file, string name)
    {
        Network network;
        try
        {
            network = OnnxImport.Read(OnnxFile.Parse(file, name), name, null);
        }
        catch (OnnxFormatException e)
        {
            Assert.IsLessThanOrEqualTo(400, e.Message.Length, e.Message);
            StringAssert.StartsWith(e.Message, name);
            return false;
        }
        catch (Exception e)
        {
            throw new AssertFailedException($"FromOnnx: {Shown(e)}", e);
        }

        Run(network, name);
        return true;
    }

    /// <summary>The same of a network.</summary>
    public static void Run(Network network, string name)
    {
        Ends("ToString", () => network.ToString());
        Ends("Groups", () => network.Groups().ToString());
        Ends("Measure", () => NetworkCost.Of(network).ToString());
        WriteAndRead("Save", network, name);
        Prunes("Prune weights", () => network.Prune(Amount.Fraction(0.5)).Network);
        var smaller = Prunes("Prune units", () => network.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit }).Network);
        if (smaller is not null)
        {
            WriteAndRead("Save pruned", smaller, name);
            Ends("Measure pruned", () => NetworkCost.Of(smaller).ToString());
            Prunes("Prune again", () => smaller.Prune(new PruningOptions { Amount = Amount.Fraction(0.3), Granularity = Granularity.Unit }).Network);
        }

        var folded = Ends("FoldBatchNorm", network.FoldBatchNorm);
        WriteAndRead("Save folded", folded, name);
    }

    private static void WriteAndRead(string stage, Network network, string name) => Ends(stage, () =>
    {
        var bytes = OnnxWriter.Write(network).ToByteArray();
        return OnnxImport.Read(OnnxFile.Parse(bytes, name), name, null);
    });

    private static Network? Prunes(string stage, Func<Network> run)
    {
        try
        {
            return run();
        }
        catch (Exception e) when (e.GetType() == typeof(ArgumentException)
            || (e.GetType() == typeof(InvalidOperationException) && e.Message.EndsWith("is NaN.", StringComparison.Ordinal)))
        {
            // Nothing in scope can be pruned, or not that much; or weights are NaN.
            return null;
        }
        catch (Exception e)
        {
            throw new AssertFailedException($"{stage}: {Shown(e)}", e);
        }
    }

    private static T Ends<T>(string stage, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (Exception e)
        {
            throw new AssertFailedException($"{stage}: {Shown(e)}", e);
        }
    }

    /// <summary>The exception with the library's own methods that it came through.</summary>
    private static string Shown(Exception e) => $"{e.GetType().Name} in {string.Join(" < ", new StackTrace(e).GetFrames().Select(frame => frame.GetMethod())
        .Where(method => method?.Module.Assembly == typeof(Network).Assembly).Take(3)
        .Select(method => $"{method!.DeclaringType!.Name}.{method.Name}"))}: {e.Message}";
}
