using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using PublicApiGenerator;

namespace MLNet.Pruning.Tests.Api;

/// <summary>The whole public API is written down, so that a change of it is always a decision.</summary>
[TestClass]
public class PublicApiTests
{
    [TestMethod]
    public void Public_members_are_those_approved()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Api");
        var lines = ApiListing.Of(typeof(Network).Assembly.GeneratePublicApi(new()
        {
            IncludeAssemblyAttributes = false,
            ExcludeAttributes = [typeof(JsonConverterAttribute).FullName!, typeof(JsonPropertyNameAttribute).FullName!,
                typeof(JsonIncludeAttribute).FullName!, typeof(JsonIgnoreAttribute).FullName!, typeof(TupleElementNamesAttribute).FullName!,
                typeof(NotNullIfNotNullAttribute).FullName!],
            UseDenyNamespacePrefixesForExtensionMethods = false,
        }));
        var received = Path.Combine(folder, "PublicApi.received.txt");
        File.WriteAllText(received, string.Join('\n', lines) + '\n');
        string[] approved = File.ReadAllLines(Path.Combine(folder, "PublicApi.txt"));
        var changes = approved.Except(lines).Select(line => "- " + line.Trim()).Concat(lines.Except(approved).Select(line => "+ " + line.Trim()));
        Assert.IsTrue(lines.SequenceEqual(approved), $"If the change is meant, copy {received} over Api/PublicApi.txt:\n{string.Join('\n', changes)}\n");
    }
}
