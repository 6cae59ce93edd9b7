using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>How far two models are apart.</summary>
/// <param name="Outputs">By output.</param>
/// <param name="IsRandom">Whether the first gives other outputs when it runs again on the same inputs.</param>
internal sealed record Differences(OutputDifference[] Outputs, bool IsRandom);

/// <summary>Runs two models of the same signature on the same random rows.</summary>
/// <param name="rows">Rows; models of a fixed batch run as often as it takes.</param>
/// <param name="openSizes">Sizes of open dimensions other than the batch.</param>
/// <param name="seed">Same seed, same rows.</param>
internal sealed class ModelComparison(int rows, RandomSizes openSizes, int seed)
{
    /// <exception cref="ArgumentException">Their inputs or outputs differ.</exception>
    public Differences Compare(Model a, Model b, Action<string, double?> say)
    {
        RequireSame("inputs", a, b, model => model.Network.Inputs);
        RequireSame("outputs", a, b, model => model.Network.Outputs);
        using var left = new OnnxRun(a, threads: 1);
        using var right = new OnnxRun(b, threads: 1);
        var inputs = new RandomInputs(a.Network, left.FixedRows ?? right.FixedRows ?? rows, openSizes);
        var random = new Random(seed);
        var differences = new List<OutputDifference[]>();
        var isRandom = false;
        for (var done = 0; done < rows; done += inputs.Rows)
        {
            var values = inputs.Draw(random);
            try
            {
                isRandom |= done == 0 && Compare(left, left, values).Any(output => output.MaxAbsolute > 0);
                differences.Add(Compare(left, right, values));
            }
            finally
            {
                Array.ForEach(values, value => value.Dispose());
            }

            say($"row {done + inputs.Rows} of {rows}", Math.Min(1, (double)(done + inputs.Rows) / rows));
        }

        return new(differences.Aggregate((all, next) => [.. all.Zip(next, (before, after) => before.With(after))]), isRandom);
    }

    private static OutputDifference[] Compare(OnnxRun a, OnnxRun b, OrtValue[] inputs)
    {
        using var left = a.Run(inputs);
        using var right = b.Run(inputs);
        return [.. a.OutputNames.Zip(left.Zip(right)).Select(output => Compare(output.First, output.Second.First, output.Second.Second))];
    }

    private static OutputDifference Compare(string name, OrtValue a, OrtValue b)
    {
        var (shapeA, shapeB) = (a.GetTensorTypeAndShape().Shape, b.GetTensorTypeAndShape().Shape);
        return shapeA.SequenceEqual(shapeB) ? OutputDifference.Of(name, Numbers(name, a).Zip(Numbers(name, b)))
            : throw new ArgumentException($"Output '{name}' is {string.Join(" x ", shapeA)} of the first model and {string.Join(" x ", shapeB)} of the "
                + "second.");
    }

    private static double[] Numbers(string name, OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => Convert<float>(value, number => number),
        TensorElementType.Double => Convert<double>(value, number => number),
        TensorElementType.Float16 => Convert<Float16>(value, number => (float)number),
        TensorElementType.BFloat16 => Convert<BFloat16>(value, number => (float)number),
        TensorElementType.Int64 => Convert<long>(value, number => number),
        TensorElementType.Int32 => Convert<int>(value, number => number),
        TensorElementType.UInt8 => Convert<byte>(value, number => number),
        TensorElementType.Int8 => Convert<sbyte>(value, number => number),
        TensorElementType.Bool => Convert<bool>(value, number => number ? 1 : 0),
        var type => throw new NotSupportedException($"Output '{name}' is of type {type}, which is not compared."),
    };

    private static double[] Convert<T>(OrtValue value, Func<T, double> convert)
        where T : unmanaged
    {
        var span = value.GetTensorDataAsSpan<T>();
        var numbers = new double[span.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = convert(span[i]);
        }

        return numbers;
    }

    private static void RequireSame(string what, Model a, Model b, Func<Model, IReadOnlyList<TensorInfo>> tensors)
    {
        var (left, right) = (tensors(a), tensors(b));
        if (!left.Select(Signature).SequenceEqual(right.Select(Signature)))
        {
            throw new ArgumentException($"The models' {what} differ: {a.File} has {List(left)}, {b.File} has {List(right)}.");
        }
    }

    /// <summary>Name, type and sizes, those that are open all the same.</summary>
    private static string Signature(TensorInfo tensor)
        => $"{tensor.Name} {tensor.Type} {(tensor.IsKnown ? string.Join(" ", tensor.Shape.Select(size => Math.Max(size, -1))) : "?")}";

    private static string List(IReadOnlyList<TensorInfo> tensors) => string.Join(", ", tensors.Select(tensor => $"{tensor} ({tensor.Type})"));
}
