using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What quantisation is not made for.</summary>
[TestClass]
public class QuantizationInputTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_view_without_rows_or_with_values_that_are_no_numbers_is_refused()
    {
        var network = Network.Mlp(2, 4, 2).Initialize(1);
        var step = _ml.Transforms.LoadNetwork(network).Append(_ml.Transforms.Quantize());
        Assert.ThrowsExactly<TrainingDataException>(() => step.Fit(_ml.Data.LoadFromEnumerable(Array.Empty<Row>(), Schema())));
        Row[] rows = [.. Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i == 7 ? float.NaN : 1], Label = (uint)(i % 2) })];
        var error = Assert.ThrowsExactly<TrainingDataException>(() => step.Fit(_ml.Data.LoadFromEnumerable(rows, Schema())));
        Assert.AreEqual(7, error.Row);
    }

    [TestMethod]
    public void Rows_whose_values_grow_beyond_all_numbers_are_refused_by_the_tensor()
    {
        var network = Network.Mlp(1, 3, 1).Initialize(1).With("fc1.weight", [3e38f, 3e38f, 3e38f]);
        Assert.Contains("expected finite numbers", Assert.ThrowsExactly<InvalidOperationException>(()
            => network.Quantize(Quantizer.Int8(), [5f, 6f])).Message);
    }

    [TestMethod]
    public void A_tensor_that_is_always_zero_is_warned_of_and_still_quantised()
    {
        // A unit of the first layer that never fires, and nothing beside it.
        var network = Network.Mlp(2, 1, 2).Initialize(1).With("fc1.weight", [-1, -1]).With("fc1.bias", [0f]);
        var rows = Enumerable.Range(0, 40).Select(i => new Row { Features = [i / 40f, 0.5f], Label = (uint)(i % 2) });
        var report = _ml.Transforms.LoadNetwork(network).Append(_ml.Transforms.Quantize()).Fit(_ml.Data.LoadFromEnumerable(rows, Schema()))
            .LastTransformer.GetReport<QuantizationReport>();
        Assert.HasCount(1, report.Warnings);
        StringAssert.Contains(report.Warnings[0], "is 0 in all calibration rows");
        StringAssert.Contains(report.ToString(), "warning: ");
    }

    [TestMethod]
    public void Two_values_for_the_numbers_of_a_regression_are_warned_of()
    {
        var rows = Enumerable.Range(0, 40).Select(i => new NumberRow { Features = [i / 40f, 0.5f], Label = i });
        var data = _ml.Data.LoadFromEnumerable(rows, Schema(typeof(NumberRow)));
        QuantizationReport Report(Quantizer quantizer) => _ml.Transforms.LoadNetwork(Network.Mlp(2, 5, 1).Initialize(1), task: LearningTask.Regression)
            .Append(_ml.Transforms.Quantize(quantizer)).Fit(data).LastTransformer.GetReport<QuantizationReport>();
        StringAssert.Contains(Report(Quantizer.Binary).Warnings.Single(), "'fc2' makes the numbers of a regression");
        Assert.IsEmpty(Report(Quantizer.Weights(4)).Warnings);
    }

    [TestMethod]
    public void What_is_quantised_already_is_refused_with_the_layers()
    {
        var network = Network.Mlp(4, 5, 3).Initialize(1);
        foreach (var quantizer in new[] { Quantizer.Weights(4), Quantizer.DynamicInt8(), Quantizer.Ternary, Quantizer.Weights(8, block: 16) })
        {
            var quantized = network.Quantize(quantizer);
            var message = Assert.ThrowsExactly<ArgumentException>(() => quantized.Quantize(Quantizer.Weights(8)), quantizer.ToString()!).Message;
            StringAssert.Contains(message, "'fc1': its weight is of integers already.");
            StringAssert.Contains(message, "'fc2': its weight is of integers already.");
        }
    }

    [TestMethod]
    public void Layers_that_stay_are_listed_with_why()
    {
        var network = Network.Sequential([1, 6, 6], Layer.Conv2d(3, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(2)).Initialize(1);
        var rows = Enumerable.Range(0, 40).Select(i => new ImageRow { Features = [.. Enumerable.Range(0, 36).Select(j => (i * j % 7) / 7f)],
            Label = (uint)(i % 2) });
        var report = _ml.Transforms.LoadNetwork(network).Append(_ml.Transforms.Quantize(Quantizer.DynamicInt8()))
            .Fit(_ml.Data.LoadFromEnumerable(rows, Schema(typeof(ImageRow), 36))).LastTransformer.GetReport<QuantizationReport>();
        Assert.AreEqual("conv1", report.Unquantized.Single().Layer);
        StringAssert.Contains(report.ToString(), "conv1 stays as it was: ");
    }

    private static SchemaDefinition Schema(Type? type = null, int width = 2)
    {
        var schema = SchemaDefinition.Create(type ?? typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        return schema;
    }

    private class Row
    {
        public float[] Features { get; set; } = [];

        [KeyType(2)]
        public uint Label { get; set; }
    }

    private sealed class ImageRow : Row;

    private sealed class NumberRow
    {
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
