using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class KeyMappingTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Row[] _rows =
    [
        new() { Text = "cat", Number = 3, Texts = ["b", "a"] },
        new() { Text = "ant", Number = float.NaN, Texts = ["a", ""] },
        new() { Text = "cat", Number = 1, Texts = ["c", "b"] },
        new() { Text = "", Number = 2, Texts = ["a", "a"] },
        new() { Text = "bee", Number = 3, Texts = ["d", "a"] },
    ];

    [TestMethod]
    public void Keys_follow_the_order_of_appearance_and_missing_values_have_none()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Text"));

        CollectionAssert.AreEqual(new uint[] { 1, 2, 1, 0, 3 }, view.GetColumn<uint>("Key").ToArray());
        Assert.AreEqual(new KeyDataViewType(typeof(uint), 3), view.Schema["Key"].Type);
        CollectionAssert.AreEqual(new[] { "cat", "ant", "bee" }, KeyTexts(view.Schema["Key"]));
    }

    [TestMethod]
    public void Keys_can_follow_the_order_of_values()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey(
            [new InputOutputColumnPair("Key", "Text"), new InputOutputColumnPair("NumberKey", "Number")],
            keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue));

        CollectionAssert.AreEqual(new[] { "ant", "bee", "cat" }, KeyTexts(view.Schema["Key"]));
        CollectionAssert.AreEqual(new uint[] { 3, 0, 1, 2, 3 }, view.GetColumn<uint>("NumberKey").ToArray());
    }

    [TestMethod]
    public void The_number_of_keys_is_limited()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Text", maximumNumberOfKeys: 2));
        CollectionAssert.AreEqual(new uint[] { 1, 2, 1, 0, 0 }, view.GetColumn<uint>("Key").ToArray());
    }

    [TestMethod]
    public void Key_data_decides_the_keys()
    {
        var keys = _ml.Data.LoadFromEnumerable([new Term { Text = "bee" }, new Term { Text = "cat" }]);
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Text", keyData: keys));
        CollectionAssert.AreEqual(new uint[] { 2, 0, 2, 0, 1 }, view.GetColumn<uint>("Key").ToArray());
    }

    [TestMethod]
    public void Key_values_can_be_text()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Number", addKeyValueAnnotationsAsText: true));
        CollectionAssert.AreEqual(new[] { "3", "1", "2" }, KeyTexts(view.Schema["Key"]));
    }

    [TestMethod]
    public void Vectors_are_mapped_item_by_item()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Texts"));
        CollectionAssert.AreEqual(new uint[] { 1, 2 }, view.GetColumn<uint[]>("Key").First());
        CollectionAssert.AreEqual(new uint[] { 2, 0 }, view.GetColumn<uint[]>("Key").ElementAt(1));
    }

    [TestMethod]
    public void Mapping_back_restores_the_values_also_from_a_file()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        var chain = _ml.Transforms.Conversion.MapValueToKey(
                [new InputOutputColumnPair("Key", "Text"), new InputOutputColumnPair("NumberKey", "Number"), new InputOutputColumnPair("Keys", "Texts")])
            .Append(_ml.Transforms.Conversion.MapKeyToValue([new InputOutputColumnPair("Back", "Key")]))
            .Append(_ml.Transforms.Conversion.MapKeyToValue(
                [new InputOutputColumnPair("NumberBack", "NumberKey"), new InputOutputColumnPair("TextsBack", "Keys")]));
        var model = chain.Fit(data);

        foreach (var view in new[] { model.Transform(data), ModelFile.RoundTrip(_ml, model, data.Schema).Transform(data) })
        {
            CollectionAssert.AreEqual(_rows.Select(r => r.Text).ToArray(), view.GetColumn<string>("Back").ToArray());
            CollectionAssert.AreEqual(_rows.Select(r => r.Number).ToArray(), view.GetColumn<float>("NumberBack").ToArray());
            CollectionAssert.AreEqual(_rows[2].Texts, view.GetColumn<string[]>("TextsBack").ElementAt(2));
        }
    }

    [TestMethod]
    public void Keys_of_keys_pass_their_values_on()
    {
        var view = Apply(_ml.Transforms.Conversion.MapValueToKey("Key", "Text")
            .Append(_ml.Transforms.Conversion.MapValueToKey("Again", "Key", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)));
        CollectionAssert.AreEqual(new[] { "cat", "ant", "bee" }, KeyTexts(view.Schema["Again"]));
    }

    [TestMethod]
    public void Only_keys_with_values_map_back()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.Conversion.MapKeyToValue("Text").Fit(data)).Message, "KeyValues");
    }

    private static IDataView Apply(IEstimator<ITransformer> estimator)
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        return estimator.Fit(data).Transform(data);
    }

    private static string[] KeyTexts(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.GetKeyValues(ref values);
        return [.. values.DenseValues().Select(text => text.ToString())];
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public float Number { get; set; }

        [VectorType(2)]
        public string[] Texts { get; set; } = [];
    }

    private sealed class Term
    {
        public string Text { get; set; } = "";
    }
}
