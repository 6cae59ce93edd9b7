namespace MLNet.Pruning.Messages;

/// <summary>A choice in JSON: the text of its <see cref="Notation"/>.</summary>
/// <param name="parse">Reads the text.</param>
internal sealed class NotationConverter<T>(Func<string, T> parse) : JsonConverter<T>
    where T : class
{
    /// <summary>Of the notation itself.</summary>
    public NotationConverter() : this(text => Notation.Parse<T>(text))
    {
    }

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            var text = reader.GetString() ?? throw new JsonException($"A {typeof(T).Name} is missing.");
            return parse(text);
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
