using System.CommandLine;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options that say which layers a command changes.</summary>
internal sealed class LayerOptions
{
    private readonly Option<string[]> _only;
    private readonly Option<string[]> _except;

    /// <param name="change">What happens to a layer.</param>
    public LayerOptions(string change)
    {
        _only = new("--only") { Description = $"Layers that may {change}: names with commas between, or the option once for each.", HelpName = "a,b" };
        _except = new("--except") { Description = "Layers that may not, named alike.", HelpName = "a,b" };
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_only);
        command.Options.Add(_except);
    }

    /// <summary>A scope over those layers of a network.</summary>
    public Scope Of(ParseResult arguments, Network network, Scope all)
    {
        var (with, without) = (Names(network, arguments.GetValue(_only)), Names(network, arguments.GetValue(_except)));
        return (with.Length > 0 ? all.Only(with) : all).Except(without);
    }

    /// <summary>Names of layers and parameters: one that holds commas itself is taken whole where there is one of that name.</summary>
    private static string[] Names(Network network, string[]? given) => [.. (given ?? []).SelectMany(text
        => network.Layers.Any(layer => layer.Node.Name == text) || network.Parameters.Any(parameter => parameter.Name == text) ? [text]
            : text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
