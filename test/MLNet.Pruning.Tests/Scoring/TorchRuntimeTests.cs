using MLNet.Pruning.Tests.Documentation;

namespace MLNet.Pruning.Tests.Scoring;

[TestClass]
public class TorchRuntimeTests
{
    [TestMethod]
    public void Without_the_native_library_a_program_says_what_installs_it()
    {
        var folder = Directory.CreateTempSubdirectory("without-libtorch").FullName;
        foreach (var file in Directory.EnumerateFiles(Sample.Folder, "*", SearchOption.AllDirectories)
            .Where(file => !(Path.GetFileName(file).Contains("torch", StringComparison.OrdinalIgnoreCase) && Path.GetExtension(file) is ".so" or ".dylib")))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(Sample.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        var (exitCode, _, errors) = Sample.Run(folder, "--output", folder);
        Assert.AreNotEqual(0, exitCode);
        StringAssert.Contains(errors, "System.InvalidOperationException: The native library of TorchSharp (libtorch) could not be loaded");
        StringAssert.Contains(errors, "build/test.sh");
        StringAssert.Contains(errors, "TorchSharp-cpu");
        Assert.IsFalse(File.Exists(Path.Combine(folder, "report.json")));
        Directory.Delete(folder, recursive: true);
    }
}
