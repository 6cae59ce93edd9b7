using System.Reflection;

namespace MLNet.Pruning.Pipeline.Steps;

/// <summary>The options of a step as texts, by name: those that are not as they are by default, and the seed. With them a run can be repeated.</summary>
internal static class StepSettings
{
    private const int Longest = 200;

    /// <param name="options">The options; those of a step in them are named with a dot.</param>
    /// <param name="seed">What was drawn with.</param>
    public static ImmutableSortedDictionary<string, string> Of(object options, int seed)
        => Settings(options, "").ToImmutableSortedDictionary(StringComparer.Ordinal).SetItem("Seed", seed.ToString(CultureInfo.InvariantCulture));

    private static IEnumerable<KeyValuePair<string, string>> Settings(object options, string prefix)
    {
        var usual = Activator.CreateInstance(options.GetType())!;
        foreach (var property in options.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanRead))
        {
            var (value, type) = (property.GetValue(options), Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
            // What follows a run does not change it.
            if (type == typeof(CancellationToken) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IProgress<>)))
            {
                continue;
            }

            if (value is not null && type.Name.EndsWith("Options", StringComparison.Ordinal))
            {
                foreach (var setting in Settings(value, $"{prefix}{property.Name}."))
                {
                    yield return setting;
                }
            }
            else if (Text(value) is var text && text != Text(property.GetValue(usual)))
            {
                yield return new(prefix + property.Name, text.Length <= Longest ? text : text[..(Longest - 3)] + "...");
            }
        }
    }

    private static string Text(object? value) => value switch
    {
        Delegate => "a function",
        Enum name => name.ToString(),
        TimeSpan time => time.ToString(null, CultureInfo.InvariantCulture),
        string text => text,
        Network network => string.Join(" -> ", network.Nodes.Select(node => node.Name)),
        _ => Notation.Argument(value),
    };
}
