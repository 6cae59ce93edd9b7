using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

[assembly: LoadableClass(typeof(OnnxTransformer), OnnxTransformer.LoaderSignature)]

namespace Microsoft.ML.Transforms.Onnx;

public sealed class OnnxTransformer : RowToRowTransformerBase, IDisposable
{
    internal const string LoaderSignature = "OnnxTransform";

    private const string ModelStream = "OnnxModel";

    private readonly OnnxTransformerOptions _options;

    internal OnnxTransformer(IHostEnvironment env, OnnxTransformerOptions options)
        : this(env, options, BytesOf(options))
    {
    }

    private OnnxTransformer(IHostEnvironment env, OnnxTransformerOptions options, byte[]? bytes)
        : base(env.Register(nameof(OnnxTransformer)))
    {
        _options = options;
        foreach (string column in options.InputColumns.Concat(options.OutputColumns))
        {
            Contracts.CheckNonWhiteSpace(column);
        }

        if (bytes is null)
        {
            Contracts.CheckNonWhiteSpace(options.ModelFile);
            if (!File.Exists(options.ModelFile))
            {
                throw new IOException($"Model file {options.ModelFile} does not exists.");
            }
        }

        try
        {
            Model = new OnnxModel(env, options, bytes);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"Error initializing model :{e}", e);
        }

        try
        {
            Inputs = options.InputColumns.Length > 0 ? options.InputColumns : [.. Model.Inputs.Select(input => input.Name)];
            Outputs = options.OutputColumns.Length > 0 ? options.OutputColumns : [.. Model.Outputs.Select(output => output.Name)];
            OutputTypes = [.. Outputs.Select(name => Model.GetOutput(name).Type)];
        }
        catch
        {
            Model.Dispose();
            throw;
        }
    }

    internal OnnxModel Model { get; }

    /// <summary>Names of input columns, in any order, each that of an input of the model.</summary>
    internal string[] Inputs { get; }

    internal string[] Outputs { get; }

    internal DataViewType[] OutputTypes { get; }

    public void Dispose() => Model.Dispose();

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new OnnxRowMapper(this, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        ctx.SaveBinaryStream(ModelStream, writer =>
        {
            byte[] content = Model.Content;
            writer.Write(content.Length);
            writer.Write(content);
        });
        WriteStrings(ctx.Writer, Inputs);
        WriteStrings(ctx.Writer, Outputs);
        ctx.Writer.Write(_options.Shapes?.Count ?? 0);
        foreach ((string name, int[] shape) in _options.Shapes ?? new Dictionary<string, int[]>())
        {
            ctx.Writer.Write(name);
            ctx.Writer.Write(shape.Length);
            foreach (int size in shape)
            {
                ctx.Writer.Write(size);
            }
        }

        ctx.Writer.Write(_options.RecursionLimit);
    }

    private static OnnxTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        byte[]? content = null;
        if (!ctx.TryLoadBinaryStream(ModelStream, reader =>
        {
            int length = reader.ReadInt32();
            content = reader.ReadBytes(length);
            content = content.Length == length ? content : throw new EndOfStreamException();
        }))
        {
            throw new FormatException($"The model file has no '{ModelStream}'");
        }

        string[] inputs = ReadStrings(ctx.Reader);
        string[] outputs = ReadStrings(ctx.Reader);
        var shapes = new Dictionary<string, int[]>();
        for (int count = ctx.Reader.ReadInt32(); count > 0; count--)
        {
            string name = ctx.Reader.ReadString();
            int[] shape = new int[ctx.Reader.ReadInt32()];
            for (int i = 0; i < shape.Length; i++)
            {
                shape[i] = ctx.Reader.ReadInt32();
            }

            shapes[name] = shape;
        }

        // The GPU is that of the context that loads, not that of the one that saved.
        var context = env as IHostEnvironmentInternal;
        var options = new OnnxTransformerOptions
        {
            InputColumns = inputs,
            OutputColumns = outputs,
            Shapes = shapes,
            RecursionLimit = ctx.Reader.ReadInt32(),
            GpuDeviceId = context?.GpuDeviceId,
            FallbackToCpu = context?.FallbackToCpu ?? false,
        };
        return new OnnxTransformer(env, options, content);
    }

    private static byte[]? BytesOf(OnnxTransformerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options.InputColumns);
        ArgumentNullException.ThrowIfNull(options.OutputColumns);
        if (options.ModelBytes is null)
        {
            return null;
        }

        options.ModelBytes.Seek(0, SeekOrigin.Begin);
        using var content = new MemoryStream();
        options.ModelBytes.CopyTo(content);
        return content.ToArray();
    }

    private static void WriteStrings(BinaryWriter writer, string[] strings)
    {
        writer.Write(strings.Length);
        foreach (string text in strings)
        {
            writer.Write(text);
        }
    }

    private static string[] ReadStrings(BinaryReader reader)
    {
        string[] strings = new string[reader.ReadInt32()];
        for (int i = 0; i < strings.Length; i++)
        {
            strings[i] = reader.ReadString();
        }

        return strings;
    }
}
