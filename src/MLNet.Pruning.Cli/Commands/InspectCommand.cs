using System.CommandLine;
using System.Globalization;
using MLNet.Pruning.Cli.Runtime;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune inspect: what is in a file.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var model = new Argument<FileInfo>("model") { Description = "The ONNX file." };
        var groups = new Option<bool>("--groups") { Description = "Lists every group of indices that go together." };
        var explain = new Option<string?>("--explain") { Description = "Says why the members of one group go together.", HelpName = "layer:number" };
        var encodings = new Option<bool>("--encodings") { Description = "Tells the bytes of each tensor by how it is encoded." };
        var sizes = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number");
        var command = new Command("inspect", "Layers, shapes, parameters, non-zeros, multiply-adds and groups of a model.") 
        {
            model, groups, explain, encodings, sizes,
        };
        command.SetAnswer(arguments =>
        {
            var file = arguments.GetRequiredValue(model);
            // Before there is a network: both need the room that the file takes as a model.
            var bytes = FileSummary.SizeOnDisk(file);
            var network = NetworkFile.Read(file, arguments.GetRequiredValue(sizes));
            return arguments.GetValue(explain) is { } group ? Explain(network, group)
                : Inspection.Of(file, bytes, network, arguments.GetValue(groups), arguments.GetValue(encodings));
        });
        return command;
    }

    private static Explanation Explain(Network network, string text)
    {
        // Layer names may hold colons themselves.
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new UsageException($"--explain is '{text}'; expected a layer's name, a colon and the number of a group, as conv1:3.");
        }

        var layer = text[..colon];
        var groups = network.Groups().Where(group => group.Layer == layer).ToArray();
        var group = groups.FirstOrDefault(group => group.Number == number) ?? throw new ArgumentException(groups.Length == 0
            ? $"No layer '{layer}' makes groups; the layers that do: {string.Join(", ", network.Groups().Families.Select(family => family.Axis.Node.Name))}."
            : $"Layer '{layer}' has the groups 0 to {groups.Length - 1}, none of number {number}.");
        return new(group.Layer, group.Number, group.Kind.ToString(), [.. group.Members.Select(GroupMemberSummary.Of)],
            network.Explain(group).Split(Environment.NewLine));
    }
}
