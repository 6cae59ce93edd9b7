using System.Text.Json;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Masks equal those of torch.nn.utils.prune, by test/peers/prune_masks.py.</summary>
[TestClass]
public class TorchMasksTests
{
    public static IEnumerable<object[]> Cases => Fixture.Read<MaskFixture>("prune_masks").Cases.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Masks_equal_those_of_PyTorch(string name)
    {
        var fixture = Fixture.Read<MaskFixture>("prune_masks").Cases.Single(c => c.Name == name);
        var network = Network(fixture);
        var pruned = default(PrunedNetwork);
        foreach (var (step, i) in fixture.Results.Select((result, i) => (result, i)))
        {
            pruned = Apply(step.Step, network, pruned);
            for (var p = 0; p < fixture.Weights.Length; p++)
            {
                var mask = pruned.Masks.GetValueOrDefault($"p{p}");
                CollectionAssert.AreEqual(step.Masks[p]?.Select(bit => bit == 1).ToArray(), mask?.ToArray(), $"step {i}, parameter {p}");
                Assert.AreEqual(step.Masks[p] is not null, pruned.Masks.ContainsKey($"p{p}"));
                if (mask is not null)
                {
                    var expected = fixture.Weights[p].Values.Select((value, k) => step.Masks[p]![k] == 1 ? value : 0f).ToArray();
                    CollectionAssert.AreEqual(expected, pruned.Network[$"p{p}"].Values.ToArray(), "pruning made permanent");
                }
            }
        }
    }

    /// <summary>A network that holds the fixture's weights, whatever their shapes: parameters are named in the scope.</summary>
    private static Network Network(MaskCase fixture)
    {
        var parameters = fixture.Weights.Select((weight, i) => new Parameter($"p{i}", [.. weight.Shape], weight.Values, true, Initializer.Zero));
        return new(new TensorInfo("input", [-1, 1]), "out", [new Node("identity", "Relu", ["input"], ["out"])], parameters);
    }

    private static PrunedNetwork Apply(JsonElement step, Network network, PrunedNetwork? before)
    {
        string[] all = [.. network.Parameters.Select(parameter => parameter.Name)];
        var kind = step.GetProperty("kind").GetString();
        if (kind == "custom")
        {
            var mask = new WeightMask(step.GetProperty("mask").EnumerateArray().Select(bit => bit.GetInt32() == 1).ToArray());
            return before is null ? network.WithMask("p0", mask) : before.WithMask("p0", mask);
        }

        var given = step.GetProperty("amount");
        var amount = given.GetRawText().Contains('.') ? Amount.Fraction(given.GetDouble()) : Amount.Count(given.GetInt64());
        amount = amount.OfRemaining();
        var (importance, granularity, scope) = kind switch
        {
            "unstructured" => (Importance.L1, Granularity.Weight, Scope.Parameters("p0")),
            "global" => (Importance.L1, Granularity.Weight, Scope.Parameters(all)),
            _ => (Importance.Magnitude(Norm(step.GetProperty("n"))), Granularity.Slice(step.GetProperty("dim").GetInt32()), Scope.Parameters("p0")),
        };
        return before is null ? network.Prune(amount, importance, granularity, scope) : before.Prune(amount, importance, granularity, scope);
    }

    private static double Norm(JsonElement n) => n.ValueKind == JsonValueKind.Number ? n.GetDouble()
        : n.GetString() == "inf" ? double.PositiveInfinity : double.NegativeInfinity;

    internal sealed record MaskFixture(MaskCase[] Cases);

    internal sealed record MaskCase(string Name, Weight[] Weights, MaskResult[] Results);

    internal sealed record Weight(int[] Shape, float[] Values);

    internal sealed record MaskResult(JsonElement Step, int[]?[] Masks);
}
