using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class TransformTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Row[] _rows =
    [
        new() { A = 1, B = [2, 3], Flag = true, Text = "7.5", Count = 300 },
        new() { A = 4, B = [5, 6], Flag = false, Text = "x", Count = -1 },
    ];

    private static IDataView Data => _ml.Data.LoadFromEnumerable(_rows);

    [TestMethod]
    public void Concatenate_joins_scalars_and_vectors_and_names_the_slots()
    {
        var model = _ml.Transforms.Concatenate("All", "A", "B", "A").Fit(Data);

        foreach (var view in new[] { model.Transform(Data), ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data) })
        {
            CollectionAssert.AreEqual(new float[] { 4, 5, 6, 4 }, view.GetColumn<float[]>("All").ElementAt(1));
            Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 4), view.Schema["All"].Type);
            VBuffer<ReadOnlyMemory<char>> names = default;
            view.Schema["All"].GetSlotNames(ref names);
            CollectionAssert.AreEqual(new[] { "A", "", "", "A" }, names.DenseValues().Select(n => n.ToString()).ToArray());
        }
    }

    [TestMethod]
    public void Concatenate_gives_sparse_vectors_where_most_is_zero()
    {
        SparseRow[] rows = [new() { V = new VBuffer<float>(6, 1, [9], [4]), W = 1 }];
        var definition = SchemaDefinition.Create(typeof(SparseRow));
        definition["V"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 6);
        var data = _ml.Data.LoadFromEnumerable(rows, definition);
        var view = _ml.Transforms.Concatenate("All", "W", "V").Fit(data).Transform(data);
        using var cursor = view.GetRowCursor([view.Schema["All"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(view.Schema["All"]);
        VBuffer<float> value = default;
        cursor.MoveNext();
        getter(ref value);
        Assert.IsFalse(value.IsDense);
        CollectionAssert.AreEqual(new float[] { 1, 0, 0, 0, 0, 9, 0 }, value.DenseValues().ToArray());
    }

    [TestMethod]
    public void Concatenate_refuses_mixed_types()
    {
        var estimator = _ml.Transforms.Concatenate("All", "A", "Text");
        var model = estimator.Fit(Data);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.Transform(Data)).Message, "'Text'");
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidOperationException>(() => new EstimatorChain<ITransformer>().Append(estimator).Fit(Data)).Message, "'Text'");
    }

    [TestMethod]
    public void Copies_hide_what_they_replace()
    {
        var model = _ml.Transforms.CopyColumns("A", "B").Fit(Data);
        var view = ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data);
        CollectionAssert.AreEqual(new float[] { 2, 3 }, view.GetColumn<float[]>("A").First());
        Assert.IsTrue(view.Schema[0].IsHidden);
    }

    [TestMethod]
    public void A_column_comes_right_after_the_one_it_hides_and_else_last()
    {
        var prepared = _ml.Transforms.Conversion.ConvertType("Count2", "Count")
            .Append(_ml.Transforms.CopyColumns("B", "A"))
            .Append(_ml.Transforms.CopyColumns("Score", "A"))
            .Append(_ml.Transforms.Concatenate("Features", "A", "Count2"))
            .Fit(Data).Transform(Data);
        CollectionAssert.AreEqual(
            new[] { "A", "B", "B", "Flag", "Text", "Count", "Count2", "Score", "Features" }, prepared.Schema.Select(column => column.Name).ToArray());
        Assert.AreEqual(2, prepared.Schema["B"].Index);
        CollectionAssert.AreEqual(new float[] { 1, 4 }, prepared.GetColumn<float>("B").ToArray());
        var scored = _ml.BinaryClassification.Trainers.LbfgsLogisticRegression("Flag").Fit(prepared).Transform(prepared);
        CollectionAssert.AreEqual(
            new[] { "A", "B", "B", "Flag", "Text", "Count", "Count2", "Score", "Score", "Features", "PredictedLabel", "Probability" },
            scored.Schema.Select(column => column.Name).ToArray());
    }

    [TestMethod]
    public void Selection_orders_drops_and_unhides()
    {
        var selected = _ml.Transforms.SelectColumns("Text", "A").Fit(Data).Transform(Data);
        CollectionAssert.AreEqual(new[] { "Text", "A" }, selected.Schema.Select(c => c.Name).ToArray());
        CollectionAssert.AreEqual(new float[] { 1, 4 }, selected.GetColumn<float>("A").ToArray());

        var dropped = _ml.Transforms.DropColumns("B", "Flag").Fit(Data).Transform(Data);
        CollectionAssert.AreEqual(new[] { "A", "Text", "Count" }, dropped.Schema.Select(c => c.Name).ToArray());

        var hidden = _ml.Transforms.CopyColumns("A", "B").Append(_ml.Transforms.SelectColumns(["A"], keepHidden: true)).Fit(Data);
        Assert.AreEqual(2, ModelFile.RoundTrip(_ml, hidden, Data.Schema).Transform(Data).Schema.Count);

        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.DropColumns("Nothing").Fit(Data));
        StringAssert.Contains(error.Message, "'Nothing'");
    }

    [TestMethod]
    public void Types_convert_by_the_standard_rules()
    {
        var chain = _ml.Transforms.Conversion.ConvertType("FlagNumber", "Flag")
            .Append(_ml.Transforms.Conversion.ConvertType("TextNumber", "Text"))
            .Append(_ml.Transforms.Conversion.ConvertType("CountByte", "Count", DataKind.SByte))
            .Append(_ml.Transforms.Conversion.ConvertType("BDouble", "B", DataKind.Double))
            .Append(_ml.Transforms.Conversion.ConvertType("AFlag", "A", DataKind.Boolean))
            .Append(_ml.Transforms.Conversion.ConvertType("AText", "A", DataKind.String));
        var model = chain.Fit(Data);

        foreach (var view in new[] { model.Transform(Data), ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data) })
        {
            CollectionAssert.AreEqual(new float[] { 1, 0 }, view.GetColumn<float>("FlagNumber").ToArray());
            CollectionAssert.AreEqual(new[] { 7.5f, float.NaN }, view.GetColumn<float>("TextNumber").ToArray());
            CollectionAssert.AreEqual(new sbyte[] { 44, -1 }, view.GetColumn<sbyte>("CountByte").ToArray());
            CollectionAssert.AreEqual(new double[] { 5, 6 }, view.GetColumn<double[]>("BDouble").ElementAt(1));
            CollectionAssert.AreEqual(new[] { true, true }, view.GetColumn<bool>("AFlag").ToArray());
            CollectionAssert.AreEqual(new[] { "1", "4" }, view.GetColumn<string>("AText").ToArray());
        }

        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.Conversion.ConvertType("X", "A", DataKind.Int32).Fit(Data));
    }

    [TestMethod]
    public void Values_map_to_values_vectors_and_keys()
    {
        var chain = _ml.Transforms.Conversion.MapValue("Number", [KeyValuePair.Create("x", 5f)], "Text")
            .Append(_ml.Transforms.Conversion.MapValue(
                "Vector", [KeyValuePair.Create(true, new[] { 1, 2 }), KeyValuePair.Create(false, new[] { 3, 4 })], "Flag"))
            .Append(_ml.Transforms.Conversion.MapValue(
                "Key",
                [KeyValuePair.Create(300, "many"), KeyValuePair.Create(-1, "none"), KeyValuePair.Create(2, "many")],
                "Count",
                treatValuesAsKeyType: true))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("Name", "Key"));
        var model = chain.Fit(Data);

        foreach (var view in new[] { model.Transform(Data), ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data) })
        {
            CollectionAssert.AreEqual(new[] { 0f, 5f }, view.GetColumn<float>("Number").ToArray());
            CollectionAssert.AreEqual(new[] { 3, 4 }, view.GetColumn<int[]>("Vector").ElementAt(1));
            Assert.AreEqual(new KeyDataViewType(typeof(uint), 2), view.Schema["Key"].Type);
            CollectionAssert.AreEqual(new uint[] { 1, 2 }, view.GetColumn<uint>("Key").ToArray());
            CollectionAssert.AreEqual(new[] { "many", "none" }, view.GetColumn<string>("Name").ToArray());
        }

        Assert.ThrowsExactly<InvalidOperationException>(
            () => _ml.Transforms.Conversion.MapValue("X", [KeyValuePair.Create(1, 1), KeyValuePair.Create(1, 2)], "Count"));
    }

    [TestMethod]
    public void Values_map_through_a_view()
    {
        var lookup = _ml.Data.LoadFromEnumerable([new Entry { From = 300, To = 0.5f }]);
        var view = _ml.Transforms.Conversion.MapValue("Price", lookup, lookup.Schema["From"], lookup.Schema["To"], "Count").Fit(Data).Transform(Data);
        CollectionAssert.AreEqual(new[] { 0.5f, 0f }, view.GetColumn<float>("Price").ToArray());
    }

    [TestMethod]
    public void Custom_mappings_run_once_a_row_and_load_by_contract_name()
    {
        var model = _ml.Transforms.CustomMapping(new SumFactory().GetMapping(), "Sum").Fit(Data);
        SumFactory.Calls = 0;
        var rows = _ml.Data.CreateEnumerable<Sum>(model.Transform(Data), reuseRowObject: false).ToArray();
        CollectionAssert.AreEqual(new[] { 6f, 15f }, rows.Select(r => r.Total).ToArray());
        CollectionAssert.AreEqual(new[] { 3f, 6f }, rows.Select(r => r.Largest).ToArray());
        Assert.AreEqual(2, SumFactory.Calls);

        using var stream = new MemoryStream();
        _ml.Model.Save(model, Data.Schema, stream);
        stream.Position = 0;
        var fresh = new MLContext();
        fresh.ComponentCatalog.RegisterAssembly(typeof(SumFactory).Assembly);
        var loaded = fresh.Model.Load(stream, out _);
        CollectionAssert.AreEqual(new[] { 6f, 15f }, loaded.Transform(Data).GetColumn<float>("Total").ToArray());
    }

    [TestMethod]
    public void Custom_mappings_without_a_name_cannot_be_saved()
    {
        var model = _ml.Transforms.CustomMapping(new SumFactory().GetMapping(), contractName: null).Fit(Data);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Model.Save(model, Data.Schema, new MemoryStream()));
    }

    [CustomMappingFactoryAttribute("Sum")]
    public sealed class SumFactory : CustomMappingFactory<Terms, Sum>
    {
        internal static int Calls { get; set; }

        public override Action<Terms, Sum> GetMapping() => (source, destination) =>
        {
            Calls++;
            destination.Total = source.A + source.B.Sum();
            destination.Largest = source.B.Max();
        };
    }

    public sealed class Terms
    {
        public float A { get; set; }

        [VectorType(2)]
        public float[] B { get; set; } = [];
    }

    public sealed class Sum
    {
        public float Total { get; set; }

        public float Largest { get; set; }
    }

    private sealed class Row
    {
        public float A { get; set; }

        [VectorType(2)]
        public float[] B { get; set; } = [];

        public bool Flag { get; set; }

        public string Text { get; set; } = "";

        public int Count { get; set; }
    }

    private sealed class SparseRow
    {
        public VBuffer<float> V { get; set; }

        public float W { get; set; }
    }

    private sealed class Entry
    {
        public int From { get; set; }

        public float To { get; set; }
    }
}
