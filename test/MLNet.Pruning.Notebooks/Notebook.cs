using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLNet.Pruning.Notebooks;

/// <summary>A notebook as Jupyter keeps it.</summary>
internal sealed class Notebook(string path)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true, IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonNode _root = JsonNode.Parse(File.ReadAllText(path))!;

    public string Name => Path.GetFileNameWithoutExtension(path);

    /// <summary>Its cells in order: text, or code.</summary>
    public IEnumerable<(bool IsCode, string Source)> Cells => _root["cells"]!.AsArray().Select(cell => ((string)cell!["cell_type"]! == "code", Source(cell)));

    /// <summary>Writes it without what tells of the machine and the hour it was executed on.</summary>
    public void Clean()
    {
        foreach (var cell in _root["cells"]!.AsArray())
        {
            cell!["metadata"]!.AsObject().Remove("execution");
            if (cell["outputs"] is JsonArray outputs)
            {
                cell["outputs"] = new JsonArray([.. outputs.Where(output => !IsOfTheMachine(output!)).Select(output => output!.DeepClone())]);
            }
        }

        File.WriteAllText(path, _root.ToJsonString(s_json).ReplaceLineEndings("\n") + "\n");
    }

    /// <summary>The kernel's search for its own address, and where extensions lie.</summary>
    private static bool IsOfTheMachine(JsonNode output)
    {
        var data = output["data"];
        return data?["text/html"] is { } html && Text(html).Contains("probeAddresses", StringComparison.Ordinal)
            || data?["text/plain"] is { } text && Text(text).StartsWith("Loading extension", StringComparison.Ordinal);
    }

    private static string Source(JsonNode cell) => Text(cell["source"]!);

    private static string Text(JsonNode text) => text is JsonArray lines ? string.Concat(lines.Select(line => (string)line!)) : (string)text!;
}
