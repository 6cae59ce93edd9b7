using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>
/// samples/ModelBuilder: what it compresses is loaded by the code that Model Builder generated, in a web service that has nothing of this package, and
/// answered as ML.NET answers here.
/// </summary>
[TestClass]
public partial class ModelBuilderSampleTests
{
    private const string App = "samples/ModelBuilder/DigitsApp";
    private const string Api = "samples/ModelBuilder/DigitsModel_WebApi1";
    private const string Model = "DigitsModel.mlnet";
    private static readonly string[] s_browsers = ["chromium", "chromium-browser", "google-chrome", "chrome", "msedge"];

    private readonly MLContext _ml = new(1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuilder");

    /// <summary>Of every five rows the last, which the sample measures on.</summary>
    private readonly float[][] _rows = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv")).Chunk(5)
        .Where(rows => rows.Length == 5)
        .Select(rows => rows[4].Split(',').Select(value => float.Parse(value, CultureInfo.InvariantCulture)).ToArray())];

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public async Task Compressed_models_answer_in_the_generated_service_and_its_page_as_they_do_here()
    {
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built(App, "--output", _folder.FullName));
        Assert.AreEqual(0, exitCode, errors + printed);
        var original = Path.Combine(ChildProcess.OutputOf(App), Model);
        // What Model Builder made is as it is in the repository.
        foreach (var name in new[] { Model, "DigitsModel.mbconfig" })
        {
            var source = Path.Combine(Path.GetDirectoryName(Repository.Find())!, App, name);
            CollectionAssert.AreEqual(File.ReadAllBytes(source), File.ReadAllBytes(Path.Combine(ChildProcess.OutputOf(App), name)));
        }

        var (trees, network) = (Path.Combine(_folder.FullName, "trees", Model), Path.Combine(_folder.FullName, "network", Model));
        var (full, pruned, small) = (Answers(original), Answers(trees), Answers(network));
        foreach (var (path, told, answers) in new[] { (original, Model, full), (trees, trees, pruned), (network, network, small) })
        {
            var figures = printed.Split('\n').Single(line => line.StartsWith($"| {told} |", StringComparison.Ordinal))
                .Split('|', StringSplitOptions.TrimEntries);
            Assert.AreEqual(new FileInfo(path).Length, long.Parse(figures[2], NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
            Assert.AreEqual(Share(row => answers[row].Label == _rows[row][64]), double.Parse(figures[3], CultureInfo.InvariantCulture), 5.1e-5);
            Assert.IsGreaterThan(0.94, Share(row => answers[row].Label == full[row].Label), told);
        }

        Assert.IsLessThan(new FileInfo(original).Length / 4, new FileInfo(trees).Length);
        Assert.IsLessThan(new FileInfo(original).Length / 4, new FileInfo(network).Length);
        await Serves(Path.GetDirectoryName(original)!, full, _ => Task.CompletedTask);
        await Serves(Path.GetDirectoryName(trees)!, pruned, client => Shows(client, pruned));
        await Serves(Path.GetDirectoryName(network)!, small, _ => Task.CompletedTask);

        double Share(Func<int, bool> isSo) => Enumerable.Range(0, _rows.Length).Count(isSo) / (double)_rows.Length;
    }

    private async Task Serves(string folder, Answer[] answers, Func<HttpClient, Task> page)
    {
        var output = ChildProcess.OutputOf(Api);
        Assert.IsEmpty(Directory.EnumerateFiles(output, "*.dll", SearchOption.AllDirectories).Where(IsOurs));
        var start = ChildProcess.Built(Api, "--urls", "http://127.0.0.1:0", "--webroot", Path.Combine(output, "wwwroot"));
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (folder, true, true);
        using var service = Process.Start(start)!;
        var errors = service.StandardError.ReadToEndAsync();
        try
        {
            var printed = "";
            while (!Listening().IsMatch(printed))
            {
                printed += await service.StandardOutput.ReadLineAsync() ?? throw new AssertFailedException($"It ended: {printed}{await errors}");
            }

            var rest = service.StandardOutput.ReadToEndAsync();
            using var client = new HttpClient { BaseAddress = new(Listening().Match(printed).Groups[1].Value) };
            // More requests at a time than there are engines.
            var served = await Task.WhenAll(Enumerable.Range(0, 60).Select(row => Predict(client, _rows[row])));
            for (var row = 0; row < served.Length; row++)
            {
                Assert.AreEqual(answers[row].Label, served[row].Label);
                Close.AreEqual(answers[row].Scores, served[row].Scores, 1e-6, $"scores of row {row}");
            }

            service.Refresh();
            Assert.IsEmpty(service.Modules.Cast<ProcessModule>().Select(module => module.FileName).Where(IsOurs));
            await page(client);
        }
        finally
        {
            service.Kill(entireProcessTree: true);
            await service.WaitForExitAsync();
        }
    }

    /// <summary>The page is served, and in a browser, where there is one, it tells what the model says of the first row of each digit.</summary>
    private async Task Shows(HttpClient client, Answer[] answers)
    {
        var html = await client.GetStringAsync("/");
        StringAssert.Contains(html, "id=\"answer\"");
        StringAssert.Contains(await client.GetStringAsync("/swagger/v1/swagger.json"), "/predict");
        if (Browser() is not { } browser)
        {
            return;
        }

        const int digit = 3;
        var row = Array.FindIndex(_rows, values => values[64] == digit);
        StringAssert.Contains(html, $"[{string.Join(", ", _rows[row][..64])}]");
        using var page = Process.Start(new ProcessStartInfo(browser, ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
            $"--user-data-dir={Path.Combine(_folder.FullName, "browser")}", "--dump-dom", $"{client.BaseAddress}?digit={digit}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (shown, errors) = (page.StandardOutput.ReadToEndAsync(), page.StandardError.ReadToEndAsync());
        if (!page.WaitForExit(TimeSpan.FromMinutes(1)))
        {
            page.Kill(entireProcessTree: true);
        }

        var answer = Shown().Match(await shown);
        Assert.IsTrue(answer.Success, await shown + await errors);
        Assert.AreEqual(answers[row].Label, float.Parse(answer.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.AreEqual(answers[row].Scores.Max(), double.Parse(answer.Groups[2].Value, CultureInfo.InvariantCulture), 5.1e-5);
    }

    private static string? Browser() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => s_browsers.SelectMany(name => (string[])[Path.Combine(folder, name), Path.Combine(folder, name + ".exe")]))
        .FirstOrDefault(File.Exists);

    private static bool IsOurs(string? path) => Path.GetFileName(path) is { } name && (name.Contains("MLNet.Pruning") || name.Contains("TorchSharp"));

    private static async Task<Answer> Predict(HttpClient client, float[] row)
    {
        using var response = await client.PostAsJsonAsync("/predict", row.Index().ToDictionary(value => $"col{value.Index}", value => value.Item));
        var answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        return new(answer.GetProperty("predictedLabel").GetSingle(), [.. answer.GetProperty("score").EnumerateArray().Select(score => score.GetSingle())]);
    }

    /// <summary>What ML.NET says of the rows with a model that it loads.</summary>
    private Answer[] Answers(string path)
    {
        File.WriteAllLines(Path.Combine(_folder.FullName, "rows.csv"), _rows.Select(row => string.Join(',', row)));
        var rows = _ml.Data.LoadFromTextFile(Path.Combine(_folder.FullName, "rows.csv"),
            [.. Enumerable.Range(0, 65).Select(i => new TextLoader.Column($"col{i}", DataKind.Single, i))], separatorChar: ',');
        var scored = _ml.Model.Load(path, out _).Transform(rows);
        return [.. scored.GetColumn<float>("PredictedLabel").Zip(scored.GetColumn<float[]>("Score"), (label, scores) => new Answer(label, scores))];
    }

    [GeneratedRegex(@"listening on: (http://[\d.:]+)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"<output id=""answer""[^>]*>(\d) \(score ([\d.]+)\)</output>")]
    private static partial Regex Shown();

    private sealed record Answer(float Label, float[] Scores);
}
