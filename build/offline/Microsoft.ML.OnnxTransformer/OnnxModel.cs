using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>An input or output: its shape for the runtime (-1 or 0 where a size is not known) and its type as a column.</summary>
internal sealed record OnnxVariable(string Name, int[] Shape, DataViewType Type);

/// <summary>A session over a model, and what the file says of its inputs and outputs.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly byte[]? _bytes;
    private readonly FileStream? _file;

    public OnnxModel(IHostEnvironment env, OnnxTransformerOptions options, byte[]? bytes)
    {
        _bytes = bytes;
        _session = Open(env, options, bytes);
        try
        {
            // Held open, as the real package does, for as long as the model lives.
            _file = bytes is null ? File.OpenRead(options.ModelFile!) : null;
            Graph = new GraphReader(Content);
            Inputs = Variables(_session.InputMetadata, Graph.Inputs, options.Shapes);
            Outputs = Variables(_session.OutputMetadata, Graph.Outputs, options.Shapes);
            Initializers = Variables(_session.OverridableInitializerMetadata, Graph.Inputs, options.Shapes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public GraphReader Graph { get; }

    public OnnxVariable[] Inputs { get; }

    public OnnxVariable[] Outputs { get; }

    public OnnxVariable[] Initializers { get; }

    /// <summary>The model as bytes.</summary>
    public byte[] Content => _bytes ?? File.ReadAllBytes(_file!.Name);

    public OnnxVariable GetInput(string name) => Inputs.Concat(Initializers).FirstOrDefault(input => input.Name == name)
        ?? throw new ArgumentOutOfRangeException(
            nameof(name),
            name,
            $"Input tensor, {name}, does not exist in the ONNX model. Available input names are [{Names(Inputs)}]. "
                + $"Available initializers are [{Names(Initializers)}]");

    public OnnxVariable GetOutput(string name) => Outputs.FirstOrDefault(output => output.Name == name)
        ?? throw new ArgumentOutOfRangeException(
            nameof(name), name, $"Output tensor, {name}, does not exist in the ONNX model. Available output names are [{Names(Outputs)}].");

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(List<NamedOnnxValue> inputs, string[] outputs) => _session.Run(inputs, outputs);

    public void Dispose()
    {
        _session.Dispose();
        _file?.Dispose();
    }

    private static InferenceSession Open(IHostEnvironment env, OnnxTransformerOptions options, byte[]? bytes)
    {
        OnnxSessionOptions session = (env is IHostEnvironmentInternal ? env.GetOnnxSessionOption() : null) ?? new OnnxSessionOptions();
        if (!session.PerSessionThreads && !OrtEnv.IsCreated)
        {
            using var threads = new OrtThreadingOptions
            {
                GlobalInterOpNumThreads = session.GlobalInterOpNumThreads,
                GlobalIntraOpNumThreads = session.GlobalIntraOpNumThreads,
            };
            var creation = new EnvironmentCreationOptions { threadOptions = threads };
            OrtEnv.CreateInstanceWithOptions(ref creation);
        }

        if (session.CreateSessionOptions is not null)
        {
            return Open(options, bytes, session.CreateSessionOptions());
        }

        try
        {
            using SessionOptions chosen = options.GpuDeviceId is int gpu ? SessionOptions.MakeSessionOptionWithCudaProvider(gpu) : new SessionOptions();
            return Open(options, bytes, Filled(chosen, session, options));
        }
        catch (OnnxRuntimeException) when (options.GpuDeviceId is not null && options.FallbackToCpu)
        {
            using var cpu = new SessionOptions();
            return Open(options, bytes, Filled(cpu, session, options));
        }
    }

    private static InferenceSession Open(OnnxTransformerOptions options, byte[]? bytes, SessionOptions sessionOptions) =>
        bytes is null ? new InferenceSession(options.ModelFile!, sessionOptions) : new InferenceSession(bytes, sessionOptions);

    private static SessionOptions Filled(SessionOptions sessionOptions, OnnxSessionOptions session, OnnxTransformerOptions options)
    {
        session.CopyTo(sessionOptions);
        sessionOptions.InterOpNumThreads = options.InterOpNumThreads ?? session.InterOpNumThreads;
        sessionOptions.IntraOpNumThreads = options.IntraOpNumThreads ?? session.IntraOpNumThreads;
        return sessionOptions;
    }

    private static OnnxVariable[] Variables(
        IReadOnlyDictionary<string, NodeMetadata> metadata, Dictionary<string, GraphValue> values, IDictionary<string, int[]>? shapes)
    {
        // What ML.NET's own export adds for columns that nothing uses.
        bool IsUnused(string name) =>
            name.StartsWith("mlnet.", StringComparison.Ordinal)
            && (name.EndsWith(".unusedInput", StringComparison.Ordinal) || name.EndsWith(".unusedOutput", StringComparison.Ordinal));
        return
        [
            .. metadata.Where(pair => !IsUnused(pair.Key)).Select(pair =>
            {
                (string name, NodeMetadata node) = pair;
                if (!node.IsTensor)
                {
                    throw new InvalidOperationException($"'{name}' of the ONNX model is a {node.OnnxValueType}; only tensors are supported");
                }

                DataViewType type = TypeOf(values[name]);
                if (shapes is null || !shapes.TryGetValue(name, out int[]? shape))
                {
                    return new OnnxVariable(name, [.. node.Dimensions], type);
                }

                if (!AreCompatible(shape, node.Dimensions))
                {
                    throw new ArgumentOutOfRangeException(
                        nameof(shapes),
                        $"The specified shape {string.Join(",", shape)} is not compatible with the shape {string.Join(",", node.Dimensions)} loaded from "
                            + "the ONNX model file. Only unknown dimension can replace or be replaced by another dimension.");
                }

                if (type is VectorDataViewType vector)
                {
                    type = shape.All(size => size > 0) ? new VectorDataViewType(vector.ItemType, shape) : new VectorDataViewType(vector.ItemType);
                }

                return new OnnxVariable(name, [.. shape], type);
            }),
        ];
    }

    private static bool AreCompatible(int[] left, int[] right) =>
        left.Length == right.Length && left.Zip(right).All(pair => pair.First == pair.Second || pair.First <= 0 || pair.Second <= 0);

    /// <summary>A first size that is not known is a batch of one; any other makes a vector of unknown size.</summary>
    private static DataViewType TypeOf(GraphValue value)
    {
        PrimitiveDataViewType item = (TensorElementType)value.ElementType switch
        {
            TensorElementType.Bool => BooleanDataViewType.Instance,
            TensorElementType.Int8 => NumberDataViewType.SByte,
            TensorElementType.UInt8 => NumberDataViewType.Byte,
            TensorElementType.Int16 => NumberDataViewType.Int16,
            TensorElementType.UInt16 => NumberDataViewType.UInt16,
            TensorElementType.Int32 => NumberDataViewType.Int32,
            TensorElementType.UInt32 => NumberDataViewType.UInt32,
            TensorElementType.Int64 => NumberDataViewType.Int64,
            TensorElementType.UInt64 => NumberDataViewType.UInt64,
            TensorElementType.Float => NumberDataViewType.Single,
            TensorElementType.Double => NumberDataViewType.Double,
            TensorElementType.String => TextDataViewType.Instance,
            _ => throw new InvalidOperationException($"Unsupported ONNX scalar type: {(TensorElementType)value.ElementType}"),
        };
        if (value.Dimensions is null)
        {
            throw new InvalidOperationException($"'{value.Name}' of the ONNX model has no shape; one is needed, if only with unknown sizes");
        }

        if (value.Dimensions.Length == 0)
        {
            return item;
        }

        int[] dimensions = [Math.Max(value.Dimensions[0], 1), .. value.Dimensions[1..]];
        return dimensions.All(size => size > 0) ? new VectorDataViewType(item, dimensions) : new VectorDataViewType(item, 0);
    }

    private static string Names(OnnxVariable[] variables) => string.Join(",", variables.Select(variable => variable.Name));
}
