namespace MLNet.Pruning.Messages;

/// <summary>Every choice in JSON as the text of its <see cref="Notation"/>, whatever choices there are.</summary>
internal sealed class NotationConverters : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => Notation.Offers(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options)
        => (JsonConverter)Activator.CreateInstance(typeof(NotationConverter<>).MakeGenericType(typeToConvert))!;
}
