using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>What a model says of itself.</summary>
public unsafe class ModelMetadata
{
    internal ModelMetadata(nint session)
    {
        nint metadata;
        NativeApi.Check(NativeApi.SessionGetModelMetadata(session, &metadata));
        try
        {
            ProducerName = Text(metadata, NativeApi.ModelMetadataGetProducerName);
            GraphName = Text(metadata, NativeApi.ModelMetadataGetGraphName);
            Domain = Text(metadata, NativeApi.ModelMetadataGetDomain);
            Description = Text(metadata, NativeApi.ModelMetadataGetDescription);
            GraphDescription = Text(metadata, NativeApi.ModelMetadataGetGraphDescription);
            long version;
            NativeApi.Check(NativeApi.ModelMetadataGetVersion(metadata, &version));
            Version = version;
            CustomMetadataMap = Properties(metadata);
        }
        finally
        {
            NativeApi.ReleaseModelMetadata(metadata);
        }
    }

    public string ProducerName { get; }

    public string GraphName { get; }

    public string Domain { get; }

    public string Description { get; }

    public string GraphDescription { get; }

    public long Version { get; }

    public Dictionary<string, string> CustomMetadataMap { get; }

    private static string Text(nint metadata, delegate* unmanaged<nint, nint, byte**, nint> get)
    {
        byte* text;
        NativeApi.Check(get(metadata, OrtAllocator.DefaultPointer, &text));
        return Utf8.Take(text);
    }

    private static Dictionary<string, string> Properties(nint metadata)
    {
        byte** keys;
        long count;
        NativeApi.Check(NativeApi.ModelMetadataGetCustomMetadataMapKeys(metadata, OrtAllocator.DefaultPointer, &keys, &count));
        var properties = new Dictionary<string, string>();
        for (long i = 0; i < count; i++)
        {
            string key = Utf8.Take(keys[i]);
            byte* value;
            fixed (byte* name = Utf8.Bytes(key))
            {
                NativeApi.Check(NativeApi.ModelMetadataLookupCustomMetadataMap(metadata, OrtAllocator.DefaultPointer, name, &value));
            }

            properties[key] = Utf8.Take(value);
        }

        if (keys is not null)
        {
            NativeApi.Check(NativeApi.AllocatorFree(OrtAllocator.DefaultPointer, keys));
        }

        return properties;
    }
}
