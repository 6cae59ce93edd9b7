using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MLNet.Pruning.Scoring.Native;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Packaging;

/// <summary>The templates, installed from their package, and the applications that they make.</summary>
[TestClass]
public partial class TemplateTests
{
    private static readonly string s_content = Path.Combine(LocalPackage.Root, "src", "MLNet.Pruning.Templates", "content");
    private static LocalPackage? s_package;

    [ClassInitialize]
    public static void Install(TestContext context)
    {
        s_package = new LocalPackage();
        s_package.Tool("pack", Path.Combine(LocalPackage.Root, "src", "MLNet.Pruning.Templates"), "--no-build", "-c",
            new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "-o", s_package.Feed, $"-p:PackageVersion={s_package.Version}");
        s_package.Tool("new", "install", Path.Combine(s_package.Feed, $"MLNet.Pruning.Templates.{s_package.Version}.nupkg"), "--debug:custom-hive", Hive);
    }

    [ClassCleanup]
    public static void Delete() => s_package?.Dispose();

    private static string Hive => Path.Combine(s_package!.Feed, "..", "hive");

    [TestMethod]
    public void The_console_application_shrinks_a_network_and_saves_it()
    {
        var folder = Create("mlnet-prune-console", "Small.Circles");
        var (exitCode, printed, errors) = ChildProcess.Run(Start(folder, "Small.Circles"));
        Assert.AreEqual(0, exitCode, printed + errors);
        var (dense, pruned) = (Told(printed, "dense"), Told(printed, "pruned"));
        // The circle takes 38 % of the points.
        Assert.IsGreaterThan(90, dense.Accuracy, printed);
        Assert.IsGreaterThan(85, pruned.Accuracy, printed);
        Assert.AreEqual((3 * 64) + (65 * 32) + 33, dense.Parameters);
        Assert.IsLessThan(dense.Parameters / 2, pruned.Parameters);

        var ml = new MLContext(seed: 1);
        using var model = (IDisposable)ml.Model.Load(Path.Combine(folder, "model.zip"), out var schema);
        Assert.IsNotNull(schema.GetColumnOrNull("Features"));
        Assert.IsNotNull(((ITransformer)model).GetOutputSchema(schema).GetColumnOrNull("PredictedLabel"));
    }

    [TestMethod]
    public async Task The_web_API_answers_from_a_pruned_network()
    {
        var folder = Create("mlnet-prune-webapi", "Circles.Service");
        var start = Start(folder, "Circles.Service", "--urls", "http://127.0.0.1:0");
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var service = Process.Start(start)!;
        var errors = service.StandardError.ReadToEndAsync();
        try
        {
            var printed = "";
            while (!Listening().IsMatch(printed))
            {
                printed += await service.StandardOutput.ReadLineAsync() ?? throw new AssertFailedException($"It ended: {printed}{await errors}");
            }

            using var client = new HttpClient { BaseAddress = new(Listening().Match(printed).Groups[1].Value) };
            Assert.IsTrue(await Predict(client, 0.6f, 0.4f));
            Assert.IsFalse(await Predict(client, 0.02f, 0.98f));
            // More requests at a time than there are engines.
            var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Predict(client, i % 2 == 0 ? 0.55f : 0.01f, i % 2 == 0 ? 0.5f : 0.03f)));
            CollectionAssert.AreEqual(Enumerable.Range(0, 64).Select(i => i % 2 == 0).ToArray(), answers);

            using var refused = await client.PostAsJsonAsync("/predict", new { features = new[] { 1f, 2f, 3f } });
            Assert.AreEqual(HttpStatusCode.BadRequest, refused.StatusCode);
            StringAssert.Contains(await refused.Content.ReadAsStringAsync(), "2 numbers expected, 3 found");
        }
        finally
        {
            service.Kill(entireProcessTree: true);
            await service.WaitForExitAsync();
        }
    }

    [TestMethod]
    [DataRow("console")]
    [DataRow("webapi")]
    public void A_template_asks_for_the_packages_of_this_build(string name)
    {
        using var template = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_content, name, ".template.config", "template.json")));
        Assert.AreEqual(typeof(Network).Assembly.GetName().Version!.ToString(3),
            template.RootElement.GetProperty("symbols").GetProperty("package-version").GetProperty("defaultValue").GetString());
        StringAssert.Contains(File.ReadAllText(Path.Combine(s_content, "..", "PACKAGE.md")), $"`{template.RootElement.GetProperty("shortName").GetString()}`");
        var project = Directory.GetFiles(Path.Combine(s_content, name), "*.csproj").Single();
        var libraries = XDocument.Load(project).Descendants("PackageReference")
            .Where(reference => ((string)reference.Attribute("Include")!).StartsWith("libtorch-cpu-", StringComparison.Ordinal)).ToArray();
        Assert.HasCount(3, libraries);
        foreach (var library in libraries)
        {
            Assert.AreEqual(TorchVersion.Wanted, (string)library.Attribute("Version")!);
        }
    }

    /// <summary>Makes a project of a template, whose name differs from its folder's, and builds it.</summary>
    private static string Create(string template, string name)
    {
        var folder = Path.Combine(s_package!.Feed, "..", template);
        s_package.Tool("new", template, "-o", folder, "-n", name, "--package-version", s_package.Version, "--debug:custom-hive", Hive);
        foreach (var file in Directory.GetFiles(folder, "*.cs"))
        {
            Assert.DoesNotMatchRegex("PrunedConsole|PrunedApi", File.ReadAllText(file), $"{file}: a name of the template's own");
        }

        s_package.Tool("build", folder, "-c", "Release", "--nologo", "-v", "q", "-warnaserror");
        return folder;
    }

    private static ProcessStartInfo Start(string folder, string name, params string[] arguments)
        => new("dotnet", [Path.Combine(folder, "bin", "Release", "net10.0", $"{name}.dll"), .. arguments]) { WorkingDirectory = folder };

    private static (double Accuracy, int Parameters) Told(string printed, string name)
    {
        var figures = Regex.Match(printed, $@"^{name}: accuracy ([\d.]+) ?%, ([\d,]+) parameters", RegexOptions.Multiline).Groups;
        return (double.Parse(figures[1].Value, CultureInfo.InvariantCulture),
            int.Parse(figures[2].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
    }

    private static async Task<bool> Predict(HttpClient client, float x, float y)
    {
        using var response = await client.PostAsJsonAsync("/predict", new { features = new[] { x, y } });
        Assert.AreEqual(HttpStatusCode.OK, response.StatusCode, await response.Content.ReadAsStringAsync());
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.AreEqual(answer.GetProperty("predictedLabel").GetBoolean(), answer.GetProperty("probability").GetSingle() > 0.5f);
        return answer.GetProperty("predictedLabel").GetBoolean();
    }

    [GeneratedRegex(@"listening on: (http://[\d.:]+)")]
    private static partial Regex Listening();
}
