using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Architecture;

/// <summary>
/// Tests of what is read off a clock or counted for the whole process. Whatever else the machine does shows in it, so such a test is tried again where it
/// fails: a fault fails every time.
/// </summary>
[TestClass]
public partial class MeasuredTests
{
    [TestMethod]
    public void What_is_measured_is_tried_again()
    {
        var files = Directory.GetFiles(Path.Combine(Path.GetDirectoryName(Repository.Find())!, "test", "MLNet.Pruning.Tests"), "*Tests.cs",
            SearchOption.AllDirectories).Select(path => (Name: Path.GetFileName(path), Text: File.ReadAllText(path)))
            .Where(file => file.Name != "MeasuredTests.cs" && Measures().IsMatch(file.Text)).ToArray();
        Assert.IsGreaterThan(8, files.Length);
        string[] once = [.. files.Where(file => !file.Text.Contains("[Retry(", StringComparison.Ordinal)).Select(file => file.Name)];
        Assert.IsEmpty(once, string.Join(", ", once));
    }

    [GeneratedRegex(@"OnnxProfile\.Of|Allocations\.Of|WorkingSet|PeakMemory\(|ByLayer\(|GetElapsedTime|Elapsed\.TotalSeconds|\.Diagnose\(")]
    private static partial Regex Measures();
}
