using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class NormalizerTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Row[] _rows =
    [
        new() { Vector = [1, -4, 7, 0], Scalar = 2 },
        new() { Vector = [3, 2, 7, 10], Scalar = -8 },
        new() { Vector = [float.NaN, 0, 7, 20], Scalar = 4 },
    ];

    [TestMethod]
    public void Min_max_keeps_zero_and_scales_by_the_largest_magnitude()
    {
        var result = Vectors(_ml.Transforms.NormalizeMinMax("Vector"));

        CollectionAssert.AreEqual(new[] { 1 / 3f, -1, 0, 0 }, result[0], Nearly.Comparer);
        CollectionAssert.AreEqual(new[] { 1, 0.5f, 0, 0.5f }, result[1], Nearly.Comparer);
        Assert.IsTrue(float.IsNaN(result[2][0]));
    }

    [TestMethod]
    public void Min_max_without_a_fixed_zero_maps_the_range_to_the_unit_interval()
    {
        var result = Vectors(_ml.Transforms.NormalizeMinMax("Vector", fixZero: false));

        CollectionAssert.AreEqual(new[] { 0f, 0, 0, 0 }, result[0], Nearly.Comparer);
        CollectionAssert.AreEqual(new[] { 1f, 1, 0, 0.5f }, result[1], Nearly.Comparer);
    }

    [TestMethod]
    public void Mean_variance_divides_by_the_root_mean_square_or_standardizes()
    {
        float[] second = [-4, 2, 0];
        double mean = second.Average(), squares = second.Average(v => v * v), deviation = Math.Sqrt(squares - mean * mean);

        var fixedZero = Vectors(_ml.Transforms.NormalizeMeanVariance("Vector"));
        var standard = Vectors(_ml.Transforms.NormalizeMeanVariance("Vector", fixZero: false));

        for (int i = 0; i < 3; i++)
        {
            Assert.AreEqual(second[i] / Math.Sqrt(squares), fixedZero[i][1], 1e-6);
            Assert.AreEqual((second[i] - mean) / deviation, standard[i][1], 1e-6);
            Assert.AreEqual(0, standard[i][2]);
        }

        // Of the two values of the first slot that are numbers.
        Assert.AreEqual((1 - 2) / 1.0, standard[0][0], 1e-6);
    }

    [TestMethod]
    public void Cdf_is_the_normal_distribution_function()
    {
        var result = Vectors(_ml.Transforms.NormalizeMeanVariance("Vector", useCdf: true));

        // Phi(1) is 0.841345; the approximation of erf is good to 3e-4.
        Assert.AreEqual(0.841345, result[1][0], 3e-4);
        Assert.AreEqual(1 - 0.841345, result[0][0], 3e-4);
        Assert.AreEqual(0, result[0][2]);
    }

    [TestMethod]
    public void Scalars_doubles_and_several_columns_work_and_survive_a_file()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        var model = _ml.Transforms.NormalizeMinMax(
            [new InputOutputColumnPair("A", "Scalar"), new InputOutputColumnPair("B", "Vector")]).Fit(data);
        var loaded = ModelFile.RoundTrip(_ml, model, data.Schema);

        foreach (var view in new[] { model.Transform(data), loaded.Transform(data) })
        {
            CollectionAssert.AreEqual(new[] { 0.25, -1, 0.5 }, view.GetColumn<double>("A").ToArray());
            Assert.AreEqual(-1, view.GetColumn<float[]>("B").First()[1], 1e-6);
            Assert.IsTrue(view.Schema["A"].IsNormalized());
        }
    }

    [TestMethod]
    public void Parameters_can_be_read()
    {
        var model = _ml.Transforms.NormalizeMinMax("Vector", fixZero: false).Fit(_ml.Data.LoadFromEnumerable(_rows));
        var parameters = (NormalizingTransformer.AffineNormalizerModelParameters<ImmutableArray<float>>)model.GetNormalizerModelParameters(0);

        CollectionAssert.AreEqual(new[] { 0.5f, 1 / 6f, 0, 0.05f }, parameters.Scale.ToArray(), Nearly.Comparer);
        CollectionAssert.AreEqual(new[] { 1f, -4, 0, 0 }, parameters.Offset.ToArray(), Nearly.Comparer);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.GetNormalizerModelParameters(1));
    }

    [TestMethod]
    public void Sparse_vectors_count_their_zeros_and_stay_sparse()
    {
        VectorRow[] rows =
        [
            new() { Vector = new VBuffer<float>(4, 1, [6], [2]) },
            new() { Vector = new VBuffer<float>(4, 1, [-2], [2]) },
            new() { Vector = new VBuffer<float>(4, 0, [], []) },
        ];
        var definition = SchemaDefinition.Create(typeof(VectorRow));
        definition["Vector"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 4);
        var data = _ml.Data.LoadFromEnumerable(rows, definition);

        var view = _ml.Transforms.NormalizeMeanVariance("Vector").Fit(data).Transform(data);

        using var cursor = view.GetRowCursor([view.Schema["Vector"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(view.Schema["Vector"]);
        VBuffer<float> value = default;
        Assert.IsTrue(cursor.MoveNext());
        getter(ref value);
        Assert.IsFalse(value.IsDense);
        Assert.AreEqual(6 / Math.Sqrt((36 + 4 + 0) / 3.0), value.GetItemOrDefault(2), 1e-6);
    }

    [TestMethod]
    public void Wrong_columns_are_named()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.NormalizeMinMax("X", "Nothing").Fit(data)).Message, "'Nothing'");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.NormalizeMinMax("Text").Fit(data)).Message, "Single or Double");
    }

    private static float[][] Vectors(NormalizingEstimator estimator)
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        return [.. estimator.Fit(data).Transform(data).GetColumn<float[]>("Vector")];
    }

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Vector { get; set; } = [];

        public double Scalar { get; set; }

        public string Text { get; set; } = "";
    }

    private sealed class VectorRow
    {
        public VBuffer<float> Vector { get; set; }
    }
}
