namespace Microsoft.ML.Transforms.Onnx;

public sealed class OnnxOptions
{
    public string ModelFile = null!;

    public string[] InputColumns = null!;

    public string[] OutputColumns = null!;

    public int? GpuDeviceId;

    public bool FallbackToCpu;

    public IDictionary<string, int[]> ShapeDictionary = null!;

    public int RecursionLimit = 100;

    public int? InterOpNumThreads;

    public int? IntraOpNumThreads;
}

/// <summary>What a transformer is made of: the model in a file, a stream or bytes, and how it is run.</summary>
internal sealed record OnnxTransformerOptions
{
    public string? ModelFile { get; init; }

    public Stream? ModelBytes { get; init; }

    public string[] InputColumns { get; init; } = [];

    public string[] OutputColumns { get; init; } = [];

    public IDictionary<string, int[]>? Shapes { get; init; }

    /// <summary>Kept in the model file. The reader here goes no deeper than the graph's own nodes.</summary>
    public int RecursionLimit { get; init; } = 100;

    public int? GpuDeviceId { get; init; }

    public bool FallbackToCpu { get; init; }

    public int? InterOpNumThreads { get; init; }

    public int? IntraOpNumThreads { get; init; }
}
