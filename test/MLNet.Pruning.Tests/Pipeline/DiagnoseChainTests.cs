using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What is diagnosed around the network of a chain.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
[DoNotParallelize]
public class DiagnoseChainTests
{
    private static readonly MLContext s_ml = new(1);
    private static readonly FindingKind[] s_around = [FindingKind.ReadingRows, FindingKind.OtherTransforms, FindingKind.SupersededNetworks];

    /// <summary>A network next to which reading a row of 64 numbers is nothing.</summary>
    private static readonly Network s_large = Network.Mlp(64, 1500, 1500, 10).Initialize(1);

    /// <summary>One that is nothing itself.</summary>
    private static readonly Network s_small = Network.Mlp(64, 32, 10).Initialize(1);

    /// <summary>Rows enough that starting to read them, by threads of ML.NET's own, is nothing either.</summary>
    private const int Count = 256;

    [TestMethod]
    public void A_superseded_network_takes_the_bytes_that_it_has_until_it_is_left_out()
    {
        var chain = s_ml.Transforms.CopyColumns("Features", "Given").Append(s_ml.Transforms.LoadNetwork(s_small))
            .Append(s_ml.Transforms.Prune(0.75, granularity: Granularity.Neuron)).Fit(Rows());
        var finding = Find(chain).Single();
        Assert.AreEqual(FindingKind.SupersededNetworks, finding.Kind);
        double Bytes(Network network)
        {
            using var stream = new MemoryStream();
            network.SaveOnnx(stream);
            return stream.Length;
        }

        var (before, after) = (Bytes(s_small), Bytes(chain.LastTransformer.Network));
        Assert.AreEqual(before / (before + after), finding.Share, 1e-6);
        Assert.IsEmpty(Find(chain.Compact()));
    }

    [TestMethod]
    public void Where_rows_are_at_hand_and_the_network_is_large_there_is_nothing_outside_it()
    {
        var found = Find(s_ml.Transforms.CopyColumns("Features", "Given").Append(s_ml.Transforms.LoadNetwork(s_large)).Fit(Rows()), Rows());
        Assert.IsEmpty(found, string.Join(Environment.NewLine, found.Select(finding => $"{finding}: {string.Join(", ", finding.Places)}")));
    }

    [TestMethod]
    public void Another_transform_that_takes_the_time_is_named()
    {
        var slow = s_ml.Transforms.CopyColumns("Features", "Given").Append(s_ml.Transforms.LoadNetwork(s_small))
            .Append(s_ml.Transforms.CustomMapping<Scored, Slow>((row, made) => made.Made = Work(row.Score[0]), contractName: null)).Fit(Rows());
        // Others may be found too where the machine is busy, and take less.
        var finding = Find(slow, Rows())[0];
        Assert.AreEqual(FindingKind.OtherTransforms, finding.Kind);
        Assert.IsGreaterThan(0.5, finding.Share);
        StringAssert.Contains(finding.Places[0].Name, "3: CustomMapping");
    }

    [TestMethod]
    public void Rows_that_take_the_time_to_be_read_are_told_from_those_that_do_not()
    {
        var chain = s_ml.Transforms.CopyColumns("Features", "Given").Append(s_ml.Transforms.LoadNetwork(s_small)).Fit(Rows());
        var slow = s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(i => new Row { Given = [.. Enumerable.Repeat(Work(i), 64)] }));
        var finding = Find(chain, slow)[0];
        Assert.AreEqual(FindingKind.ReadingRows, finding.Kind);
        Assert.IsGreaterThan(0.5, finding.Share);
    }

    [TestMethod]
    public void Without_rows_or_without_a_network_it_says_so()
    {
        var chain = s_ml.Transforms.CopyColumns("Features", "Given").Append(s_ml.Transforms.LoadNetwork(s_small)).Fit(Rows());
        Assert.ThrowsExactly<TrainingDataException>(() => Find(chain, s_ml.Data.FilterRowsByColumn(Rows(), "Number", lowerBound: 1e6)));
        var trees = s_ml.Fit("FastTree", s_ml.View(TreeTables.Make(60, 1)), trees: 3);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => s_ml.Compression().Diagnose(trees)).Message, "Of trees, Measure");
    }

    private static IReadOnlyList<DiagnosisFinding> Find(ITransformer model, IDataView? rows = null)
        => s_ml.Compression().Diagnose(model, rows, new DiagnosisOptions { Kinds = s_around }).Findings;

    private static IDataView Rows()
        => s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(i => new Row { Number = i, Label = 1 + (uint)(i % 9) }).ToArray());

    /// <summary>Some fifty microseconds.</summary>
    private static float Work(float value)
    {
        for (var i = 0; i < 5_000; i++)
        {
            value = MathF.Sin(value);
        }

        return value;
    }

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Given { get; set; } = new float[64];

        public float Number { get; set; }

        [KeyType(10)]
        public uint Label { get; set; } = 1;
    }

    private sealed class Scored
    {
        [VectorType(10)]
        public float[] Score { get; set; } = [];
    }

    private sealed class Slow
    {
        [ColumnName("Slow")]
        public float Made { get; set; }
    }
}
