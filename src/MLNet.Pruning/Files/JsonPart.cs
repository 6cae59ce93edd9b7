namespace MLNet.Pruning.Files;

/// <summary>
/// A value of JSON, read without the serializer: that has hundreds of methods compiled for each type it reads, for which the first score of a process would
/// wait.
/// </summary>
/// <param name="json">The value.</param>
internal sealed class JsonPart(JsonElement json)
{
    public bool IsNull => json.ValueKind == JsonValueKind.Null;

    /// <summary>The value for the serializer.</summary>
    public JsonElement Element => json;

    /// <exception cref="JsonException">There is no such field.</exception>
    public JsonPart this[string name] => json.TryGetProperty(name, out var value) ? new(value) : throw new JsonException($"'{name}' is missing");

    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JsonPart Parse(byte[] content) => new(JsonElement.Parse(content));

    /// <summary>A field; null where it is missing or null.</summary>
    public JsonPart? Optional(string name) => json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? new(value) : null;

    /// <exception cref="JsonException">It is no text.</exception>
    public string Text() => json.ValueKind == JsonValueKind.String ? json.GetString()! : throw Unexpected("a text");

    /// <exception cref="JsonException">It is no whole number of 32 bits.</exception>
    public int Number() => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var number) ? number : throw Unexpected("a whole number");

    /// <exception cref="JsonException">It is no whole number of 64 bits from 0 on.</exception>
    public ulong Count() => json.ValueKind == JsonValueKind.Number && json.TryGetUInt64(out var number) ? number : throw Unexpected("a whole number from 0 on");

    /// <exception cref="JsonException">It is neither true nor false.</exception>
    public bool Truth() => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : throw Unexpected("true or false");

    /// <exception cref="JsonException">It is no list.</exception>
    public List<JsonPart> Items()
    {
        var items = new List<JsonPart>();
        foreach (var item in json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : throw Unexpected("a list"))
        {
            items.Add(new(item));
        }

        return items;
    }

    /// <summary>The texts that an object has by their names.</summary>
    /// <exception cref="JsonException">It is no object, or one is no text.</exception>
    public Dictionary<string, string> Texts()
    {
        var texts = new Dictionary<string, string>();
        foreach (var field in json.ValueKind == JsonValueKind.Object ? json.EnumerateObject() : throw Unexpected("an object"))
        {
            texts[field.Name] = new JsonPart(field.Value).Text();
        }

        return texts;
    }

    private JsonException Unexpected(string expected) => new($"{json.GetRawText()} is not {expected}");
}
