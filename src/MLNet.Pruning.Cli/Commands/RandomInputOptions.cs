using System.CommandLine;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options of the commands that run models on random rows.</summary>
internal static class RandomInputOptions
{
    public static Option<int> OpenSize() => new Option<int>("--open-size")
    {
        Description = "Size of open dimensions other than the batch, such as the length of a sequence.",
        DefaultValueFactory = _ => 16,
    }.AtLeast(1);
}
