using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.RegularExpressions;
using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>
/// Options whose values are choices of the library, by the calls that make them (<c>Linear(5).BottomUp</c>), in lower case with hyphens
/// (<c>unit-within-heads</c>), or for short.
/// </summary>
internal static partial class Choices
{
    /// <summary>What the command line has for short: a pattern, the call it stands for, and how help shows it.</summary>
    private static readonly (Type Type, string Pattern, string Call, string Shown)[] s_short =
    [
        (typeof(Granularity), "hidden", "HiddenUnit", "hidden"),
        (typeof(Granularity), "group", "ChannelGroup", "group"),
        (typeof(Granularity), "([0-9]+):([0-9]+)", "NToM($1, $2)", "n:m such as 2:4 with n below m"),
        (typeof(Granularity), "([0-9]+)x([0-9]+)", "WeightBlock($1, $2)", "blocks of weights such as 16x1"),
        (typeof(Importance), "batch-norm", "BatchNormScale", "batch-norm"),
        (typeof(Importance), "brain-surgeon", "OptimalBrainSurgeon", "brain-surgeon"),
        (typeof(Scope), "lamp", "Distributed(Lamp)", "lamp"),
        (typeof(Scope), "erdos-renyi", "Distributed(ErdosRenyi)", "erdos-renyi"),
        (typeof(Scope), "erdos-renyi-kernel", "Distributed(ErdosRenyiKernel)", "erdos-renyi-kernel"),
        (typeof(Schedule), "linear:(.+)", "Linear($1)", "linear:n"),
        (typeof(Schedule), "geometric:(.+)", "Geometric($1)", "geometric:n"),
        (typeof(Schedule), "cubic:(.+)", "Cubic($1)", "cubic:n"),
        (typeof(Schedule), "iterative:(.+)", "Iterative($1)", "iterative:share"),
        (typeof(Tolerance), "([-0-9.].*)", "Of($1)", "a number"),
    ];

    /// <summary>An option for a choice, with what it takes in its help.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What is chosen.</param>
    /// <param name="otherwise">What is chosen where it is not given; null for nothing.</param>
    public static Option<string?> Option<T>(string name, string description, string? otherwise)
        where T : class
    {
        var option = new Option<string?>(name)
        {
            Description = $"{description}: {string.Join(", ", Names<T>())}.", HelpName = name[2..], DefaultValueFactory = _ => otherwise,
        };
        option.CompletionSources.Add(_ => Names<T>().Where(offered => Complete().IsMatch(offered)).Select(offered => new CompletionItem(offered)));
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }])
            {
                try
                {
                    Parse<T>(text);
                }
                catch (Exception e) when (e is FormatException or ArgumentException)
                {
                    result.AddError($"{name} is '{text}': {Tool.Reason(e)}; expected {string.Join(", ", Names<T>())}.");
                }
            }
        });
        return option;
    }

    /// <summary>What there is to choose, as the command line writes it; names in parentheses are what else has to be given.</summary>
    public static IEnumerable<string> Names<T>() => Notation.Offered(typeof(T)).SelectMany(call =>
    {
        var maker = call.Split('(')[0];
        var shown = s_short.Where(form => form.Type == typeof(T) && form.Call.Split('(')[0] == maker).Select(form => form.Shown).ToArray();
        return shown.Length > 0 ? shown : [Hump().Replace(call, "-").ToLowerInvariant()];
    });

    /// <summary>The choice that a text stands for.</summary>
    /// <param name="text">Its calls, or what stands for them.</param>
    /// <param name="defaults">By the names of parameters what they are where the text does not say.</param>
    /// <exception cref="FormatException">It stands for none.</exception>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public static T Parse<T>(string text, params (string Name, object Value)[] defaults)
        where T : class
    {
        var form = s_short.FirstOrDefault(form => form.Type == typeof(T) && Regex.IsMatch(text, $"^({form.Pattern})$"));
        var call = form.Call is not null ? Regex.Replace(text, $"^{form.Pattern}$", form.Call)
            : Word().IsMatch(text) ? text.Replace("-", "", StringComparison.Ordinal)
            : text.Contains('"') ? text : Hyphen().Replace(text, "");
        return Notation.Parse<T>(call, defaults.ToDictionary(value => value.Name, value => value.Value));
    }

    /// <summary>What may be typed as help shows it.</summary>
    [GeneratedRegex("^[a-z0-9-]+$")]
    private static partial Regex Complete();

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex Hump();

    /// <summary>Within a name, and no sign of a number.</summary>
    [GeneratedRegex("(?<=[A-Za-z])-(?=[A-Za-z])")]
    private static partial Regex Hyphen();

    [GeneratedRegex("^[A-Za-z0-9-]+$")]
    private static partial Regex Word();
}
