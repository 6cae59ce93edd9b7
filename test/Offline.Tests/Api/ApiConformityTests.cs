using System.IO.Compression;
using System.Reflection;

namespace MLNet.Pruning.Offline.Tests.Api;

/// <summary>
/// What compiles against a counterpart compiles against the real package: a counterpart may leave out, but everything
/// public or protected that it has is in the listing of the real one.
/// </summary>
[TestClass]
public sealed class ApiConformityTests
{
    [TestMethod]
    [DataRow("Microsoft.ML", "Microsoft.ML.Core", "Microsoft.ML.Data", "Microsoft.ML.DataView", "Microsoft.ML.StandardTrainers", "Microsoft.ML.Transforms")]
    [DataRow("Microsoft.ML.FastTree", "Microsoft.ML.FastTree")]
    [DataRow("Microsoft.ML.OnnxRuntime", "Microsoft.ML.OnnxRuntime")]
    [DataRow("Microsoft.ML.OnnxTransformer", "Microsoft.ML.OnnxTransformer")]
    [DataRow("TorchSharp", "TorchSharp")]
    public void Every_member_is_that_of_the_real_package(string counterpart, params string[] listings)
    {
        string path = Path.Combine(AppContext.BaseDirectory, counterpart + ".dll");
        Assert.IsTrue(File.Exists(path), path);
        string[] differing = Differing(Assembly.LoadFrom(path), [.. listings.SelectMany(ReadListing)]);
        Assert.IsEmpty(
            differing,
            $"{counterpart} declares what the real package does not:{Environment.NewLine}{string.Join(Environment.NewLine, differing)}");
    }

    [TestMethod]
    public void A_changed_signature_is_found()
    {
        Assembly assembly = typeof(Microsoft.ML.MLContext).Assembly;
        string[] listing = [.. ApiListing.Of(assembly)];
        int changed = Array.FindIndex(listing, line => line.StartsWith("M:Microsoft.ML.MLContext.#ctor(", StringComparison.Ordinal));
        string original = listing[changed];
        listing[changed] = original.Replace("seed=null", "randomSeed=null");
        CollectionAssert.AreEqual(new[] { original }, Differing(assembly, listing));
    }

    [TestMethod]
    public void An_interface_too_many_is_found_and_one_too_few_is_not()
    {
        const string Ours = "T:N.C\tsealed class : N.B, N.I";
        Assert.IsTrue(Conforms(Ours, "T:N.C\tsealed class : N.B, N.I, N.J"));
        Assert.IsFalse(Conforms(Ours, "T:N.C\tsealed class : N.B"));
        Assert.IsFalse(Conforms(Ours, "T:N.C\tclass : N.B, N.I"));
    }

    private static string[] Differing(Assembly assembly, IReadOnlyCollection<string> listing)
    {
        var lines = listing.ToHashSet();
        ILookup<string, string> types = listing.Where(IsType).ToLookup(Id);
        return
        [
            .. ApiListing.Of(assembly)
                .Where(line => !lines.Contains(line) && !(IsType(line) && types[Id(line)].Any(real => Conforms(line, real))))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static bool IsType(string line) => line.StartsWith("T:", StringComparison.Ordinal);

    private static string Id(string line) => line[..line.IndexOf('\t')];

    private static bool Conforms(string ours, string real)
    {
        (string kind, IEnumerable<string> bases) = Split(ours);
        (string realKind, IEnumerable<string> realBases) = Split(real);
        return kind == realKind && !bases.Except(realBases).Any();
    }

    private static (string Kind, IEnumerable<string> Bases) Split(string line)
    {
        string[] parts = line[(line.IndexOf('\t') + 1)..].Split(" : ");
        return (parts[0], parts.Length > 1 ? parts[1].Split(", ") : []);
    }

    private static IEnumerable<string> ReadListing(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "api", name + ".txt");
        if (File.Exists(path))
        {
            return File.ReadLines(path);
        }

        using var reader = new StreamReader(new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
