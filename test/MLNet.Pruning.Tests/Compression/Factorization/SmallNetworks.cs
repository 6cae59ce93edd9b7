using System.Collections.Immutable;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Compression.Factorization;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Compression.Factorization;

/// <summary>Networks of a layer or two, and what ONNX Runtime makes of them.</summary>
internal static class SmallNetworks
{
    public static float[] Draw(int count, int seed, double scale = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))];
    }

    /// <summary>A network of nodes over parameters drawn at random.</summary>
    public static Network Of(int[] input, Node[] nodes, params (string Name, int[] Shape)[] parameters)
        => new(new TensorInfo("x", [-1, .. input]), nodes[^1].Outputs[0], nodes, parameters.Select((parameter, i) => new Parameter(parameter.Name,
            [.. parameter.Shape], Draw(parameter.Shape.Aggregate(1, (product, size) => product * size), i + 1), true, Initializer.Zero)));

    /// <summary>A node of the standard.</summary>
    public static Node Node(string name, string @operator, string[] inputs, string output, params (string Name, object Value)[] attributes)
        => new(name, @operator, inputs, [output], attributes.Select(attribute => KeyValuePair.Create(attribute.Name, attribute.Value)));

    /// <summary>What ONNX Runtime computes of rows of floats, the first output.</summary>
    public static float[] Run<T>(Network network, T[] rows)
        where T : unmanaged
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(Bytes(network), options);
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, [rows.Length / network.Input.RowSize,
            .. network.Input.Shape.Skip(1).Select(size => (long)size)]);
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Its file.</summary>
    public static byte[] Bytes(Network network) => OnnxWriter.Write(network).ToByteArray();

    /// <summary>Every layer that can be taken apart, at ranks that are no matter how large.</summary>
    public static Network At(Network network, Factorizer factorizer, Func<Decomposition, ImmutableArray<int>> ranks,
        float[]? rows = null)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var layers = FactorizableLayer.Candidates(network).Select(candidate => FactorizableLayer.Of(network, candidate.Layer, candidate.Weight, out _))
            .OfType<FactorizableLayer>().Where(layer => factorizer.Refusal(layer) is null).ToArray();
        Assert.IsNotEmpty(layers);
        var step = new FactorizationStep { Calibration = rows is null ? null : () => GivenRows.Calibration(GivenRows.Of(network, rows)) };
        return FactorizedGraph.Write(network, [.. FactorizationPlan.Decompose(network, factorizer, layers, step).Select(layer =>
            (layer, ranks(layer.Decomposition), (Factors?)layer.Factors(ranks(layer.Decomposition), default)))], out _);
    }

    public static double Energy(IEnumerable<float> values) => values.Sum(value => (double)value * value);

    public static double Distance(IReadOnlyList<float> one, IReadOnlyList<float> other)
        => one.Zip(other).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2));
}
