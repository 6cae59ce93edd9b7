using System.Collections.Concurrent;
using System.Diagnostics;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Hostile;

[TestClass]
public sealed class MutantTests
{
    private static readonly string[] s_cases = ["view_deconv_min", "zero_min", "names_odd", "feat_conv1d_pool", "view_conv", "einsum"];
    private static readonly string[] s_operators = ["attention_packed", "group_norm_opset21", "split_opset18"];
    private static readonly string[] s_networks = ["lstm", "tiny_resnet", "smallcnn_opset17"];

    /// <summary>
    /// Variable that gives other mutants than those of every run, as "seed count": each is the same wherever it is made.
    /// </summary>
    private const string Variable = "MLNET_PRUNING_MUTANTS";

    [TestMethod]
    public void What_is_wrong_in_a_file_is_refused_when_it_is_read_or_stops_nothing()
    {
        var chosen = (Environment.GetEnvironmentVariable(Variable) ?? "1 20000").Split(' ').Select(int.Parse).ToArray();
        var (seed, count) = (chosen[0], chosen[1]);
        var models = s_cases.Select(Case.File).Concat(s_operators.Select(name => Zoo.Operator(name).Path))
            .Concat(s_networks.Select(name => Zoo.Network(name).Path))
            .Select(path => (Name: Path.GetFileName(path), Model: OnnxFile.Read(path))).ToArray();
        string[] operators = [.. models.SelectMany(model => model.Model.Graph.Node).Select(node => node.OpType).Distinct().Order(StringComparer.Ordinal), "GRU",
            "Tile", "Pad", "DepthToSpace", "Expand", "Nothing"];
        var failures = new ConcurrentBag<string>();
        var accepted = 0;
        var slowest = (Milliseconds: 0L, Number: 0);
        Parallel.For(0, count, number =>
        {
            var (name, model) = models[number % models.Length];
            var mutant = Mutant(seed, number, model, operators);
            var watch = Stopwatch.StartNew();
            try
            {
                if (LaterStages.Run(mutant, name))
                {
                    Interlocked.Increment(ref accepted);
                }
            }
            catch (AssertFailedException e)
            {
                failures.Add($"seed {seed}, mutant {number} of {name}: {e.Message}");
                Keep(mutant, $"{seed}-{number}.onnx");
            }

            if (watch.ElapsedMilliseconds > slowest.Milliseconds)
            {
                slowest = (watch.ElapsedMilliseconds, number);
            }
        });
        Console.WriteLine($"{count} mutants of seed {seed}: {accepted} accepted, the slowest, {slowest.Number}, took {slowest.Milliseconds} ms.");
        Assert.IsEmpty(failures, $"{failures.Count}:{Environment.NewLine}{string.Join(Environment.NewLine, failures.Take(50))}");
        Assert.IsGreaterThan(count / 20, accepted, "mutants have to get past the reader to say something of what comes after it");
    }

    private static byte[] Mutant(int seed, int number, ModelProto model, IReadOnlyList<string> operators)
        => new Mutation(new Random(unchecked((seed * 1_000_003) + number)), operators).Of(model);

    /// <summary>What failed stays beside the tests, to be looked at.</summary>
    private static void Keep(byte[] mutant, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "mutants")).FullName;
        File.WriteAllBytes(Path.Combine(folder, name), mutant);
    }
}
