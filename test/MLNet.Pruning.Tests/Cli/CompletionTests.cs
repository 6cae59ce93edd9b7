using System.Diagnostics;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>Completion in bash itself, which loads the script as its first line says.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public class CompletionTests
{
    [TestMethod]
    [DataRow("mlnet-prune qu", "quantize")]
    [DataRow("mlnet-prune prune model.onnx --spar", "--sparse,--sparsity")]
    [DataRow("mlnet-prune prune --importance activation-", "activation-mean,activation-variance")]
    [DataRow("mlnet-prune prune model.onnx --group m", "max,mean")]
    [DataRow("mlnet-prune diag", "diagnose")]
    [DataRow("mlnet-prune diagnose model.onnx --only superseded-", "superseded-networks")]
    [DataRow("mlnet-prune completion z", "zsh")]
    public void Bash_completes(string line, string expected)
    {
        using var files = new CliFiles();
        var tool = files.Write("mlnet-prune", "#!/bin/sh", $"exec {string.Join(' ', Command())} \"$@\"");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var (code, output, errors) = ChildProcess.Run(new ProcessStartInfo("bash", ["-c", $$"""
            export PATH="{{Path.GetDirectoryName(tool)}}:$PATH"
            eval "$(mlnet-prune completion bash)"
            COMP_LINE={{Quoted(line)}}
            COMP_POINT=${#COMP_LINE}
            COMP_WORDS=({{line}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _mlnet_prune
            printf '%s\n' "${COMPREPLY[@]}"
            """]));
        Assert.AreEqual(0, code, errors);
        Assert.AreEqual(expected, string.Join(',', output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)), errors);
    }

    private static IEnumerable<string> Command()
    {
        var start = CliProcess.Start();
        return [Quoted(start.FileName), .. start.ArgumentList.Select(Quoted)];
    }

    private static string Quoted(string text) => $"'{text}'";
}
