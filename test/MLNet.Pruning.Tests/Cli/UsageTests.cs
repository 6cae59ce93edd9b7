using System.Text.Json;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>Exit codes, and the page that documents the tool.</summary>
[TestClass]
public partial class UsageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Repository.Find())!, "docs", "cli.md"));

    [TestMethod]
    [DataRow("")]
    [DataRow("frobnicate")]
    [DataRow("inspect")]
    [DataRow("inspect a.onnx --unknown")]
    [DataRow("evaluate")]
    [DataRow("evaluate a.onnx --metrics guess")]
    [DataRow("evaluate a.onnx --metrics latency(0)")]
    [DataRow("evaluate a.onnx --label y")]
    [DataRow("evaluate a.onnx --data rows.csv")]
    [DataRow("evaluate a.onnx --targets rows.csv")]
    [DataRow("prune a.onnx")]
    [DataRow("prune a.onnx -o b.onnx --sparsity 1")]
    [DataRow("prune a.onnx -o b.onnx --sparsity half")]
    [DataRow("prune a.onnx -o b.onnx --granularity atom")]
    [DataRow("prune a.onnx -o b.onnx --granularity 4:2")]
    [DataRow("prune a.onnx -o b.onnx --granularity 0x4")]
    [DataRow("prune a.onnx -o b.onnx --granularity 2:4 --sparsity 0.9")]
    [DataRow("prune a.onnx -o b.onnx --importance taylor")]
    [DataRow("prune a.onnx -o b.onnx --calibration-rows 10")]
    [DataRow("prune a.onnx -o b.onnx --importance guess")]
    [DataRow("prune a.onnx -o b.onnx --scope lamp")]
    [DataRow("prune a.onnx -o b.onnx --granularity 2:4 --scope erdos-renyi")]
    [DataRow("prune a.onnx -o b.onnx --alignment 0")]
    [DataRow("prune a.onnx -o b.onnx --granularity weight --target parameters")]
    [DataRow("prune a.onnx -o b.onnx --data rows.csv")]
    [DataRow("prune a.onnx -o b.onnx --schedule cubic:3")]
    [DataRow("prune a.onnx -o b.onnx --data rows.csv --label y --schedule cubic")]
    [DataRow("prune a.onnx -o b.onnx --data rows.csv --label y --task guess")]
    [DataRow("prune a.onnx -o b.onnx --gpu 0")]
    [DataRow("prune a.onnx -o b.onnx --data rows.csv --label y --gpu -1")]
    [DataRow("distil a.onnx -o b.onnx --width 0.5")]
    [DataRow("distil a.onnx -o b.onnx --data rows.csv --label y")]
    [DataRow("distil a.onnx -o b.onnx --data rows.csv --label y --width 0")]
    [DataRow("distil a.onnx -o b.onnx --data rows.csv --label y --width 0.5 --student c.onnx")]
    [DataRow("distil a.onnx -o b.onnx --data rows.csv --label y --width 0.5 --by hearsay")]
    [DataRow("completion tcsh")]
    [DataRow("quantize a.onnx")]
    [DataRow("quantize a.onnx -o b.onnx --to int5")]
    [DataRow("quantize a.onnx -o b.onnx --to weights(9)")]
    [DataRow("quantize a.onnx -o b.onnx --to weights(4) --calibration-rows 10")]
    [DataRow("quantize a.onnx -o b.onnx --range wide")]
    [DataRow("quantize a.onnx -o b.onnx --preparation smooth(2)")]
    [DataRow("quantize a.onnx -o b.onnx --preparation equalize+wish")]
    [DataRow("quantize a.onnx -o b.onnx --data rows.csv")]
    [DataRow("factorize a.onnx")]
    [DataRow("factorize a.onnx -o b.onnx --by cur")]
    [DataRow("factorize a.onnx -o b.onnx --rank energy(2)")]
    [DataRow("factorize a.onnx -o b.onnx --rank fixed(0)")]
    [DataRow("factorize a.onnx -o b.onnx --calibration-rows 10")]
    [DataRow("factorize a.onnx -o b.onnx --data rows.csv")]
    [DataRow("verify a.onnx")]
    [DataRow("verify a.onnx b.onnx --inputs 0")]
    [DataRow("verify a.onnx b.onnx --tolerance -1")]
    [DataRow("bench a.onnx b.onnx --rounds 0")]
    [DataRow("bench a.onnx b.onnx --batch many")]
    [DataRow("diagnose a.onnx --batch 0")]
    [DataRow("diagnose a.onnx --threads none")]
    [DataRow("diagnose a.onnx --minimum-share 1")]
    [DataRow("diagnose a.onnx --only zeros")]
    [DataRow("report a.onnx")]
    [DataRow("report a.zip b.onnx")]
    public void Wrong_usage_ends_with_2(string line)
    {
        var arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (code, output, errors) = CliProcess.Run(arguments);
        Assert.AreEqual(2, code, errors);
        Assert.AreEqual("", output);
        Assert.AreEqual(1, errors.TrimEnd().Split('\n').Length, errors);
        Assert.IsGreaterThan(10, CliProcess.Json(2, arguments).GetProperty("error").GetString()!.Length);
    }

    [TestMethod]
    [DataRow("inspect {0}")]
    [DataRow("evaluate {0}")]
    [DataRow("prune {0} -o {1}")]
    [DataRow("distil {0} -o {1} --width 0.5 --data {0} --label y")]
    [DataRow("quantize {0} -o {1} --to float16")]
    [DataRow("factorize {0} -o {1}")]
    [DataRow("verify {0} {0}")]
    [DataRow("bench {0} {0}")]
    [DataRow("diagnose {0}")]
    [DataRow("report {0} {0} -o {1}")]
    public void Files_that_are_missing_damaged_or_hostile_end_with_1(string line)
    {
        using var files = new CliFiles();
        var whole = File.ReadAllBytes(files.Save("whole.onnx", CliFiles.Convolutional()));
        File.WriteAllBytes(files["truncated.onnx"], whole[..(whole.Length / 2)]);
        var noise = new byte[4096];
        new Random(1).NextBytes(noise);
        File.WriteAllBytes(files["noise.onnx"], noise);
        foreach (var name in new[] { "missing.onnx", "truncated.onnx", "noise.onnx" })
        {
            var (code, _, errors) = CliProcess.Run([.. string.Format(line, files[name], files["out.onnx"]).Split(' ')]);
            Assert.AreEqual(1, code, name);
            StringAssert.Contains(errors, name);
            Assert.AreEqual(1, errors.TrimEnd().Split('\n').Length, errors);
        }

        Assert.IsFalse(File.Exists(files["out.onnx"]));
    }

    [TestMethod]
    [DataRow("inspect")]
    [DataRow("evaluate")]
    [DataRow("prune")]
    [DataRow("distil")]
    [DataRow("quantize")]
    [DataRow("factorize")]
    [DataRow("verify")]
    [DataRow("bench")]
    [DataRow("diagnose")]
    [DataRow("report")]
    public void The_page_names_every_option(string command)
    {
        var (code, help, _) = CliProcess.Run(command, "--help");
        Assert.AreEqual(0, code);
        var options = Option().Matches(help).Select(match => match.Value).Distinct().ToArray();
        Assert.IsGreaterThan(3, options.Length, help);
        foreach (var option in options)
        {
            StringAssert.Contains(s_page, $"`{option}", option);
        }
    }

    [TestMethod]
    public void Help_wraps_where_there_is_no_terminal()
    {
        var (_, help, _) = CliProcess.Run("prune", "--help");
        Assert.IsLessThanOrEqualTo(120, help.Split('\n').Max(line => line.TrimEnd().Length));
    }

    [TestMethod]
    public void The_page_names_every_field()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var rows = files.Write("rows.csv", [string.Join(',', Enumerable.Range(0, 144).Select(i => $"x{i}")) + ",y",
            .. Enumerable.Range(0, 30).Select(row => string.Concat(Enumerable.Repeat($"{row % 7},", 144)) + row % 10)]);
        var named = Name().Matches(s_page).Select(match => match.Groups[1].Value).ToHashSet();
        foreach (var answer in new[]
        {
            CliProcess.Json(0, "inspect", model, "--groups"), CliProcess.Json(0, "inspect", model, "--explain", "conv1:0"),
            CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--sparsity", "0.3"), CliProcess.Json(0, "verify", files["b.onnx"], model, "--masked"),
            CliProcess.Json(0, "evaluate", model, "--metrics", "file-size,cold-start"),
            CliProcess.Json(0, "bench", model, files["b.onnx"], "--rounds", "1"), CliProcess.Json(0, "factorize", model, "-o", files["c.onnx"]),
            CliProcess.Json(0, "distil", model, "-o", files["d.onnx"], "--width", "0.5", "--data", rows, "--label", "y", "--epochs", "1"),
            CliProcess.Json(0, "diagnose", model, "--minimum-share", "0"),
            CliProcess.Json(0, "completion", "bash"), CliProcess.Json(0, "report", model, files["b.onnx"], "-o", files["page.html"], "--card",
                files["card.md"]),
        })
        {
            foreach (var field in Fields(answer).Distinct())
            {
                Assert.Contains(field, named, $"the field {field} is not on the page");
            }
        }
    }

    private static IEnumerable<string> Fields(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(field => Fields(field.Value).Prepend(field.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Fields),
        _ => [],
    };

    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex(@"`([A-Za-z0-9]+)(\[\])?`")]
    private static partial Regex Name();
}
