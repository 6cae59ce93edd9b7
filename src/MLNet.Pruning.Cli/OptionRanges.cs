using System.CommandLine;
using System.Globalization;

namespace MLNet.Pruning.Cli;

/// <summary>Ranges of options: values outside are wrong usage.</summary>
internal static class OptionRanges
{
    public static Option<int> AtLeast(this Option<int> option, int least) => option.Require(value => value >= least, $"a whole number of at least {least}");

    public static Option<T> Require<T>(this Option<T> option, Func<T, bool> holds, string expected)
    {
        option.Validators.Add(result =>
        {
            try
            {
                if (result.Tokens.Count > 0 && result.GetValueOrDefault<T>() is { } value && !holds(value))
                {
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; expected {expected}."));
                }
            }
            catch (InvalidOperationException)
            {
                // Of another type: the parser itself says so.
            }
        });
        return option;
    }
}
