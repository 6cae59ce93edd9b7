using MLNet.Pruning.Offline.Tests.Api;

namespace MLNet.Pruning.Tests.Api;

/// <summary>The whole public API is written down, so that a change of it is always a decision.</summary>
[TestClass]
public class PublicApiTests
{
    [TestMethod]
    public void Public_members_are_those_approved()
    {
        var approved = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Api", "PublicApi.txt"));
        string[] actual = [.. ApiListing.Of(typeof(Network).Assembly).Order(StringComparer.Ordinal)];
        var received = Path.Combine(AppContext.BaseDirectory, "Api", "PublicApi.received.txt");
        File.WriteAllLines(received, actual);
        var changes = approved.Except(actual).Select(line => "- " + line).Concat(actual.Except(approved).Select(line => "+ " + line));
        Assert.AreEqual("", string.Join(Environment.NewLine, changes), $"If the change is meant, copy {received} over Api/PublicApi.txt.");
    }
}
