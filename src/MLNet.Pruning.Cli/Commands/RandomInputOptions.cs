using System.CommandLine;
using System.Globalization;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options for sizes that models leave open.</summary>
internal static class RandomInputOptions
{
    public static Option<int> OpenSize() => new Option<int>("--open-size")
    {
        Description = "Size of open dimensions other than the batch, such as the length of a sequence.",
        DefaultValueFactory = _ => 16,
    }.AtLeast(1);

    /// <summary>Numbers for open dimensions by their name.</summary>
    /// <param name="description">What is done with them.</param>
    public static Option<Dictionary<string, int>> Sizes(string description) => new("--size")
    {
        Description = $"{description}: name=number, as sequence=128; may be given for several dimensions.",
        HelpName = "name=number",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
        CustomParser = result =>
        {
            var sizes = new Dictionary<string, int>();
            foreach (var token in result.Tokens)
            {
                // Names of dimensions may hold '=' themselves.
                var equals = token.Value.LastIndexOf('=');
                if (equals < 1 || !int.TryParse(token.Value.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size < 1)
                {
                    result.AddError($"--size is '{token.Value}'; expected the name of an open dimension, '=' and a whole number of at least 1, as "
                        + "sequence=128.");
                }
                else if (!sizes.TryAdd(token.Value[..equals], size))
                {
                    result.AddError($"--size gives '{token.Value[..equals]}' twice.");
                }
            }

            return sizes;
        },
    };
}
