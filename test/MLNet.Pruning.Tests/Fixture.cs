using System.Text.Json;

namespace MLNet.Pruning.Tests;

/// <summary>What PyTorch computed, written by the programs in test/peers.</summary>
internal static class Fixture
{
    private static readonly JsonSerializerOptions s_options = new() { PropertyNameCaseInsensitive = true };

    public static T Read<T>(string name) => JsonSerializer.Deserialize<T>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", name + ".json")),
        s_options)!;
}
