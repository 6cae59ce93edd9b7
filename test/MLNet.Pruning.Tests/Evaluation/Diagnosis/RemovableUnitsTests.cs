using MLNet.Pruning.Evaluation.Diagnosis;
using Google.Protobuf;
using MLNet.Pruning.Networks.Onnx;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Tests.Evaluation.Diagnosis;

/// <summary>Units that can go without a change: those that are found, and by ONNX Runtime on the network without them.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class RemovableUnitsTests
{
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    public void Masked_units_are_found_and_their_removal_changes_nothing()
    {
        var network = Network.Sequential([3, 16, 16], Layer.Conv2d(24, 3, name: "c1"), Layer.BatchNorm(), Layer.Relu(),
            Layer.Conv2d(32, 3, name: "c2"), Layer.Relu(), Layer.Flatten(), Layer.Dense(10, name: "fc")).Initialize(1);
        PruningGroup[] gone = [.. network.Groups().Where((_, i) => i % 2 == 0)];
        var masked = network.Mask(gone);
        var options = new DiagnosisOptions { Threads = 1, Kinds = [FindingKind.RemovableUnits, FindingKind.ZerosMultiplied] };
        var report = s_ml.Compression().Diagnose(masked, options);
        CollectionAssert.AreEqual(gone.Select(Name).ToArray(), report.RemovableUnits.Select(Name).ToArray());
        // All zeros are theirs, and half of the filters are more than half of the work.
        var finding = report.Findings.Single();
        Assert.AreEqual(FindingKind.RemovableUnits, finding.Kind);
        Assert.IsGreaterThan(0.2, finding.Share);
        Same(masked, masked.Remove(report.RemovableUnits));
        Assert.IsEmpty(s_ml.Compression().Diagnose(network, options).RemovableUnits);
    }

    [TestMethod]
    // Zero through and through, or not read at all: both can go. What is only zero before a sigmoid or a bias is not zero behind it.
    [DataRow("row", "Relu", true)]
    [DataRow("row", "Sigmoid", false)]
    [DataRow("row and not bias", "Relu", false)]
    [DataRow("column", "Relu", true)]
    [DataRow("column", "Sigmoid", true)]
    public void A_unit_goes_only_where_nothing_changes(string zero, string activation, bool expected)
    {
        var network = Network.Sequential([6], Layer.Dense(5, name: "fc1"), activation == "Relu" ? Layer.Relu() : Layer.Sigmoid(), Layer.Dense(4, name: "fc2"))
            .Initialize(1).With("fc1.bias", [.. Enumerable.Repeat(0.5f, 5)]);
        var (weight, bias, read) = (network["fc1.weight"].Values.ToArray(), network["fc1.bias"].Values.ToArray(), network["fc2.weight"].Values.ToArray());
        if (zero == "column")
        {
            for (var i = 0; i < 4; i++)
            {
                read[i * 5 + 2] = 0;
            }
        }
        else
        {
            weight.AsSpan(2 * 6, 6).Clear();
            bias[2] = zero == "row" ? 0 : bias[2];
        }

        network = network.With("fc1.weight", weight).With("fc1.bias", bias).With("fc2.weight", read);
        var found = RemovableUnits.Find(network, CancellationToken.None);
        CollectionAssert.AreEqual(expected ? new[] { "fc1:2" } : [], found.Select(Name).ToArray());
        Same(network, network.Remove(found));
    }

    [TestMethod]
    public void A_layer_keeps_a_unit_even_where_all_are_zero()
    {
        var network = Network.Mlp(4, 6, 3).Initialize(1);
        network = network.With("fc1.weight", new float[24]).With("fc1.bias", new float[6]);
        var found = RemovableUnits.Find(network, CancellationToken.None);
        Assert.HasCount(5, found);
        Same(network, network.Remove(found));
    }

    private static string Name(PruningGroup group) => $"{group.Layer}:{group.Number}";

    private static void Same(Network a, Network b)
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 3 * a.Input.RowSize).Select(_ => random.NextSingle() * 2 - 1).ToArray();
        Close.AreEqual(Run(a, rows), Run(b, rows), 1e-5, "outputs");
    }

    private static float[] Run(Network network, float[] rows)
    {
        using var session = new InferenceSession(OnnxWriter.Write(network).ToByteArray());
        using var options = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, [3, .. network.Input.Shape.Skip(1).Select(size => (long)size)]);
        using var outputs = session.Run(options, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
