using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests;

/// <summary>ONNX Runtime, which the interpreter is held against.</summary>
internal static class Reference
{
    /// <summary>What ONNX Runtime computes, by output.</summary>
    public static Dictionary<string, (int[] Shape, float[] Values)> Run(string path, IReadOnlyList<ZooValues> inputs)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        using var results = session.Run([.. inputs.Select(input => input.Input.Type switch
        {
            "int64" => NamedOnnxValue.CreateFromTensor(input.Input.Name,
                new DenseTensor<long>(Array.ConvertAll(input.Values, value => (long)value), input.Shape)),
            "int32" => NamedOnnxValue.CreateFromTensor(input.Input.Name,
                new DenseTensor<int>(Array.ConvertAll(input.Values, value => (int)value), input.Shape)),
            "bool" => NamedOnnxValue.CreateFromTensor(input.Input.Name,
                new DenseTensor<bool>(Array.ConvertAll(input.Values, value => value != 0), input.Shape)),
            _ => NamedOnnxValue.CreateFromTensor(input.Input.Name, new DenseTensor<float>(input.Values, input.Shape)),
        })]);
        return results.ToDictionary(result => result.Name, result => result.AsTensor<float>() is { } floats ? ([.. floats.Dimensions], [.. floats])
            : (result.AsTensor<long>()!.Dimensions.ToArray(), Array.ConvertAll(result.AsTensor<long>()!.ToArray(), value => (float)value)));
    }
}
