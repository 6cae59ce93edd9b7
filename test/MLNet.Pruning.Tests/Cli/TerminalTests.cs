using System.Diagnostics;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>What a terminal of 80 columns shows, and what is written where there is none.</summary>
[TestClass]
public partial class TerminalTests
{
    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Tables_fit_and_break_no_number()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var shown = Terminal($"inspect {model} --encodings");
        Assert.IsLessThanOrEqualTo(80, shown.Split('\n').Max(line => line.TrimEnd().Length), shown);
        var layers = CliProcess.Json(0, "inspect", model, "--encodings");
        var numbers = Number().Matches(shown).Select(match => match.Value.Replace(",", "")).ToHashSet();
        foreach (var layer in layers.GetProperty("layers").EnumerateArray())
        {
            StringAssert.Contains(shown, layer.GetProperty("operator").GetString());
            foreach (var count in new[] { "parameters", "nonZeros", "multiplyAdds" })
            {
                Assert.Contains(layer.GetProperty("counts").GetProperty(count).GetInt64().ToString(), numbers, $"{count} of {layer.GetProperty("name")}");
            }
        }

        foreach (var bytes in layers.GetProperty("encodings").EnumerateArray().SelectMany(tensor => tensor.GetProperty("bytes").EnumerateObject()))
        {
            Assert.Contains(bytes.Value.GetInt64().ToString(), numbers, bytes.Name);
        }
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Long_work_shows_a_bar_and_the_time_left()
    {
        using var files = new CliFiles();
        var (model, rows) = Training(files);
        var shown = Terminal($"distil {model} -o {files["b.onnx"]} --width 0.5 --data {rows} --label y --epochs 300");
        var bars = Bar().Matches(shown).Select(match => int.Parse(match.Groups[1].Value)).Distinct().ToArray();
        Assert.IsGreaterThan(2, bars.Length, shown);
        CollectionAssert.AreEqual(bars.Order().ToArray(), bars);
        Assert.IsTrue(Left().IsMatch(shown), shown);
    }

    [TestMethod]
    public void Elsewhere_it_writes_lines_beside_the_tables_and_none_beside_json()
    {
        using var files = new CliFiles();
        var (model, rows) = Training(files);
        string[] line = ["distil", model, "-o", files["b.onnx"], "--width", "0.5", "--data", rows, "--label", "y", "--epochs", "300"];
        var (code, output, errors) = CliProcess.Run(line);
        Assert.AreEqual(0, code, errors);
        StringAssert.Contains(output, "written: ");
        Assert.IsNotEmpty(errors);
        foreach (var said in errors.TrimEnd().Split('\n'))
        {
            StringAssert.Matches(said, Said());
        }

        CliProcess.Json(0, line);
    }

    /// <summary>A model and rows that take seconds to train on.</summary>
    private static (string Model, string Rows) Training(CliFiles files)
    {
        var random = new Random(1);
        return (files.Save("a.onnx", Network.Mlp(8, 64, 3).Initialize(1)), files.Write("rows.csv", [.. Enumerable.Range(0, 401).Select(i => i == 0
            ? "a,b,c,d,e,f,g,h,y" : $"{string.Join(',', Enumerable.Range(0, 8).Select(_ => random.Next(100)))},{i % 3}")]));
    }

    /// <summary>What a terminal gets, without what moves its cursor.</summary>
    private static string Terminal(string line)
    {
        var start = CliProcess.Start();
        var command = string.Join(' ', [start.FileName, .. start.ArgumentList, line]);
        var shell = new ProcessStartInfo("script", ["-qec", $"stty cols 80 rows 50; {command}", "/dev/null"]) { RedirectStandardInput = true };
        shell.Environment["TERM"] = "xterm";
        var (code, output, errors) = ChildProcess.Run(shell);
        Assert.AreEqual(0, code, output + errors);
        return Escape().Replace(output, "").Replace("\r", "");
    }

    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Escape();

    [GeneratedRegex(@"(?<![\d,])\d[\d,]*(?![\d,])")]
    private static partial Regex Number();

    [GeneratedRegex(@"(\d+)%")]
    private static partial Regex Bar();

    [GeneratedRegex(@"\d\d:\d\d:\d\d")]
    private static partial Regex Left();

    [GeneratedRegex(@"^distilling, \d+\.\d %: epoch \d+/300: ")]
    private static partial Regex Said();
}
