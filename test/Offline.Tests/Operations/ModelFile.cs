using Microsoft.ML;

namespace MLNet.Pruning.Offline.Tests.Operations;

/// <summary>Saves a model and loads it again.</summary>
internal static class ModelFile
{
    public static ITransformer RoundTrip(MLContext ml, ITransformer model, DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        ml.Model.Save(model, schema, stream);
        stream.Position = 0;
        return new MLContext().Model.Load(stream, out _);
    }
}
