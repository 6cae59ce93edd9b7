using System.CommandLine;
using System.CommandLine.Help;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLNet.Pruning.Cli.Commands;
using MLNet.Pruning.Messages;
using Spectre.Console;

namespace MLNet.Pruning.Cli;

/// <summary>The command line: parses, runs a command, prints what it found. Exit codes: 0 done, 1 refused, 2 wrong usage.</summary>
internal static class Tool
{
    private const int Refused = 1;
    private const int WrongUsage = 2;

    // Wide enough that names in redirected output are not cut into pieces.
    private const int RedirectedWidth = 240;

    // Help is sentences, which wrap.
    private const int RedirectedHelpWidth = 120;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Whether a command answers with JSON.</summary>
    public static Option<bool> AsJson { get; } = new("--json") { Description = "Prints JSON with stable field names instead of tables.", Recursive = true };

    /// <summary>Seed of everything random in a command.</summary>
    public static Option<int> Seed { get; } = new("--seed") { Description = "Seed of everything random; same seed, same result.", DefaultValueFactory = _ => 1,
        Recursive = true };

    public static int Run(string[] arguments)
    {
        var root = new RootCommand("Inspects, evaluates, prunes, distils, quantises, factorises, verifies, times, diagnoses and reports on neural networks in "
            + "ONNX files.")
        {
            InspectCommand.Create(), EvaluateCommand.Create(), PruneCommand.Create(), DistilCommand.Create(), QuantizeCommand.Create(),
            FactorizeCommand.Create(), VerifyCommand.Create(), BenchCommand.Create(), DiagnoseCommand.Create(), ReportCommand.Create(),
            CompletionCommand.Create(), AsJson, Seed,
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = Examples.Behind(Console.IsOutputRedirected ? new HelpAction { MaxWidth = RedirectedHelpWidth } : (HelpAction)help.Action!);

        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count == 0)
        {
            return parsed.Invoke(new() { EnableDefaultExceptionHandler = false });
        }

        return Fail(arguments.Contains("--json"), string.Join(" ", parsed.Errors.Select(error => error.Message)), WrongUsage);
    }

    /// <summary>Makes a command print what it found, or the reason why it refused.</summary>
    public static void SetAnswer(this Command command, Func<ParseResult, Answer> find) => command.SetAction(arguments =>
    {
        var json = arguments.GetValue(AsJson);
        try
        {
            var answer = find(arguments);
            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize<object>(answer, s_json));
            }
            else
            {
                answer.Print(CreateConsole());
            }

            return answer.ExitCode;
        }
        catch (UsageException e)
        {
            return Fail(json, e.Message, WrongUsage);
        }
        catch (Exception e)
        {
            return Fail(json, Reason(e), Refused);
        }
    });

    private static IAnsiConsole CreateConsole()
    {
        var console = AnsiConsole.Create(new());
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = RedirectedWidth;
        }

        return console;
    }

    /// <summary>One line, without the name of a parameter of the library.</summary>
    public static string Reason(Exception e) => e is ArgumentException { ParamName: { } name }
        ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    private static int Fail(bool json, string reason, int code)
    {
        var line = ErrorText.Fit(Cells.Plain(reason.ReplaceLineEndings(" ")));
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { error = line }, s_json));
        }
        else
        {
            Console.Error.WriteLine($"error: {line}");
        }

        return code;
    }
}
