using System.CommandLine;
using System.Text.Json;
using Microsoft.ML;
using MLNet.Pruning.Cli.Runtime;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune diagnose: why a model is not smaller or faster.</summary>
internal static class DiagnoseCommand
{
    private const string Chain = ".zip";

    private static readonly Dictionary<string, FindingKind> s_kinds = Enum.GetValues<FindingKind>().ToDictionary(Name);

    public static Command Create()
    {
        var usual = new DiagnosisOptions();
        var model = new Argument<FileInfo>("model") { Description = "The ONNX or .nnp file, or a chain that ml.Compression().Save wrote (.zip)." };
        var batch = new Option<int>("--batch") { Description = "Rows in a run, as the application scores them.", DefaultValueFactory = _ => usual.BatchSize }
            .AtLeast(1);
        var threads = new Option<int?>("--threads") { Description = "Threads of a run. Default: as many as such a batch keeps busy." }
            .Require(number => number >= 1, "a whole number of at least 1");
        var share = new Option<double>("--minimum-share")
        {
            Description = "What costs less than this share of time or bytes is not reported.", DefaultValueFactory = _ => usual.MinimumShare,
        }.Require(value => value is >= 0 and < 1, "a number in [0, 1)");
        var only = new Option<string[]>("--only")
        {
            Description = $"What is looked for, names with commas between: {string.Join(", ", s_kinds.Keys)}. Default: all.", HelpName = "a,b",
        };
        only.CompletionSources.Add([.. s_kinds.Keys]);
        only.Validators.Add(result =>
        {
            if (Names(result.Tokens.Select(token => token.Value)).FirstOrDefault(name => !s_kinds.ContainsKey(name)) is { } unknown)
            {
                result.AddError($"--only is '{unknown}'; expected {string.Join(", ", s_kinds.Keys)}.");
            }
        });
        var sizes = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number");
        var command = new Command("diagnose", "Why a model is not smaller or faster: what stands in the way, what each costs, and what to do about it.")
        {
            model, batch, threads, share, only, sizes,
        };
        command.SetAnswer(arguments =>
        {
            var options = new DiagnosisOptions
            {
                BatchSize = arguments.GetValue(batch), Threads = arguments.GetValue(threads), MinimumShare = arguments.GetValue(share),
                Kinds = arguments.GetValue(only) is { Length: > 0 } names ? [.. Names(names).Select(name => s_kinds[name])] : null,
            };
            var file = arguments.GetRequiredValue(model);
            return Progress.Run(arguments, "measuring", _ => new Diagnosed(file, Diagnose(file, arguments.GetRequiredValue(sizes), options)));
        });
        return command;
    }

    /// <summary>What a kind is called in options and in JSON: "zeros-multiplied".</summary>
    public static string Name(FindingKind kind) => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString());

    private static IEnumerable<string> Names(IEnumerable<string> values)
        => values.SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static DiagnosisReport Diagnose(FileInfo file, Dictionary<string, int> sizes, DiagnosisOptions options)
    {
        var catalog = new MLContext(1).Compression();
        if (!file.Extension.Equals(Chain, StringComparison.OrdinalIgnoreCase))
        {
            return catalog.Diagnose(NetworkFile.Read(file, sizes), options);
        }

        return sizes.Count == 0 ? catalog.Diagnose(catalog.Load(file.ToString(), out _), options: options)
            : throw new UsageException($"--size is for ONNX files; {file} is a chain, and keeps the sizes that it has.");
    }
}
