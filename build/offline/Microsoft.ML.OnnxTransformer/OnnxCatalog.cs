using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML;

public static class OnnxCatalog
{
    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string modelFile,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        Stream modelBytes,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            OutputColumns = [outputColumnName],
            InputColumns = [inputColumnName],
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        Stream modelBytes,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            OutputColumns = [outputColumnName],
            InputColumns = [inputColumnName],
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            OutputColumns = [outputColumnName],
            InputColumns = [inputColumnName],
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            OutputColumns = [outputColumnName],
            InputColumns = [inputColumnName],
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            Shapes = shapeDictionary,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false,
        int recursionLimit = 100) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = modelFile,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            Shapes = shapeDictionary,
            RecursionLimit = recursionLimit,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false,
        int recursionLimit = 100) =>
        Apply(catalog, new OnnxTransformerOptions
        {
            ModelBytes = modelBytes,
            OutputColumns = outputColumnNames,
            InputColumns = inputColumnNames,
            Shapes = shapeDictionary,
            RecursionLimit = recursionLimit,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
        });

    public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, OnnxOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Apply(catalog, new OnnxTransformerOptions
        {
            ModelFile = options.ModelFile,
            OutputColumns = options.OutputColumns,
            InputColumns = options.InputColumns,
            Shapes = options.ShapeDictionary,
            RecursionLimit = options.RecursionLimit,
            InterOpNumThreads = options.InterOpNumThreads,
            IntraOpNumThreads = options.IntraOpNumThreads,
            GpuDeviceId = options.GpuDeviceId,
            FallbackToCpu = options.FallbackToCpu,
        });
    }

    /// <summary>The GPU of the context is used where none is asked for.</summary>
    private static OnnxScoringEstimator Apply(TransformsCatalog catalog, OnnxTransformerOptions options)
    {
        IHostEnvironment env = catalog.GetEnvironment();
        if (options.GpuDeviceId is null && env is IHostEnvironmentInternal { GpuDeviceId: not null } context)
        {
            options = options with { GpuDeviceId = context.GpuDeviceId, FallbackToCpu = context.FallbackToCpu };
        }

        return new OnnxScoringEstimator(env, new OnnxTransformer(env, options));
    }
}
