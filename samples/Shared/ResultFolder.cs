using System.Text.Json;

namespace MLNet.Pruning.Samples;

/// <summary>Where a recipe's files are.</summary>
internal sealed class ResultFolder(DirectoryInfo output, Recipe recipe)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public string Folder { get; } = Path.Combine(output.FullName, recipe.Name);

    /// <summary>The model after a stage.</summary>
    public string Model(int seed, int stage) => Path.Combine(Folder, $"seed{seed}", $"{stage + 1}-{recipe.Stages[stage].Name}.zip");

    /// <summary>Makes the folder this recipe's, as it is set now.</summary>
    /// <exception cref="InvalidOperationException">It holds the work of other settings.</exception>
    public void Claim()
    {
        var settings = JsonSerializer.Serialize(recipe.Stages.Select(stage => $"{stage.Name}: {stage.Settings}"), s_json);
        var path = Path.Combine(Folder, "settings.json");
        if (!File.Exists(path))
        {
            Write("settings.json", settings);
        }
        else if (File.ReadAllText(path) != settings)
        {
            throw new InvalidOperationException($"{Folder} holds a run with other settings than this program's: remove it, or name another --output.");
        }
    }

    public void WriteJson(string name, object content) => Write(name, JsonSerializer.Serialize(content, s_json));

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }
}
