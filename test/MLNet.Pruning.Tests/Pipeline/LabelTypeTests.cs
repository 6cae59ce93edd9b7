using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>
/// A predicted label is what ML.NET's own trainer makes of a label of that type: in memory, in a file of ML.NET's and in one of ours, as a
/// key and as a value.
/// </summary>
[TestClass]
public class LabelTypeTests
{
    private static readonly DateTime s_moment = new(2024, 2, 29, 23, 59, 58);

    private static IEnumerable<object[]> Values { get; } = new Label[]
    {
        new Value<string>("red", "\"green\", or so", "größer"), new Value<bool>(true, false),
        new Value<sbyte>(3, sbyte.MinValue, 7), new Value<byte>(3, byte.MaxValue, 7), new Value<short>(3, short.MinValue, 7),
        new Value<ushort>(3, ushort.MaxValue, 7), new Value<int>(3, int.MinValue, 7), new Value<uint>(3, uint.MaxValue, 7),
        new Value<long>(3, long.MinValue, long.MaxValue - 1), new Value<ulong>(3, ulong.MaxValue, 7),
        new Value<float>(0.1f, float.NegativeInfinity, 7), new Value<double>(0.1, double.MaxValue, 7),
        new Value<DateTime>(s_moment, s_moment.AddTicks(1), DateTime.MaxValue),
        new Value<DateTimeOffset>(new(s_moment, TimeSpan.FromHours(2)), new(s_moment, TimeSpan.FromMinutes(-150)), new(s_moment.AddTicks(1), TimeSpan.Zero)),
        new Value<TimeSpan>(TimeSpan.FromHours(30), TimeSpan.FromTicks(-7), TimeSpan.Zero),
    }.Select(label => new object[] { label });

    private static IEnumerable<object[]> Keys { get; } = new Label[]
    {
        new Key(DataKind.Byte), new Key(DataKind.UInt16), new Key(DataKind.UInt32), new Key(DataKind.UInt64),
        new NamedKey("red", "green", "blue"), new NamedKey("red", "", "red"),
    }.Select(label => new object[] { label });

    [TestMethod]
    [DynamicData(nameof(Values))]
    public void Values_are_predicted_as_values_of_their_type(Label label)
    {
        var ml = new MLContext(1);
        var data = label.Rows(ml);
        var back = ml.Transforms.Conversion.MapKeyToValue("Answer", "PredictedLabel");
        var key = ml.Transforms.Conversion.MapValueToKey("Label");
        AreEqual(key.Append(Theirs(ml)).Append(back).Fit(data), key.Append(Ours(ml, label)).Append(back).Fit(data), data, "PredictedLabel", "Answer");
    }

    /// <summary>ML.NET's own trainers take keys of UInt32 only, and predict such: they are given the same labels as these.</summary>
    [TestMethod]
    [DynamicData(nameof(Keys))]
    public void Keys_are_predicted_as_keys_of_the_same_values(Label label)
    {
        var ml = new MLContext(1);
        var data = label.Rows(ml);
        AreEqual(Theirs(ml).Fit(label is NamedKey ? data : new Key(DataKind.UInt32).Rows(ml)), Ours(ml, label).Fit(data), data, "PredictedLabel");
    }

    [TestMethod]
    [DynamicData(nameof(Values))]
    public void A_process_that_knows_only_ML_NET_finds_the_same_key_values(Label label)
    {
        var ml = new MLContext(1);
        var model = ml.Transforms.Conversion.MapValueToKey("Label").Append(Ours(ml, label)).Fit(label.Rows(ml)).LastTransformer;
        var rows = ml.Transforms.SelectColumns("Features").Fit(label.Rows(ml)).Transform(label.Rows(ml));
        var (expected, found) = (Describe(model.Transform(rows), "PredictedLabel"), LoaderProcess.Score(ml, model, rows)["PredictedLabel"]);
        Assert.AreEqual(expected.Type, found.Type);
        Assert.AreEqual(expected.KeyValuesType, found.KeyValuesType);
        CollectionAssert.AreEqual(expected.KeyValues, found.KeyValues);
        CollectionAssert.AreEqual(expected.Rows, found.Rows.Select(row => row[0].ToString(CultureInfo.InvariantCulture)).ToArray());
    }

    private static IEstimator<ITransformer> Theirs(MLContext ml) => ml.MulticlassClassification.Trainers.SdcaMaximumEntropy();

    private static NeuralNetworkTrainer Ours(MLContext ml, Label label)
        => ml.MulticlassClassification.Trainers.NeuralNetwork(new()
        {
            Network = Network.Mlp(3, label.Count),
            Epochs = 20,
            BatchSize = 6,
            LearningRate = 0.1,
            ValidationFraction = 0,
            Seed = 1,
        });

    private static void AreEqual(ITransformer theirs, ITransformer ours, IDataView data, params string[] columns)
    {
        foreach (var column in columns)
        {
            var expected = Describe(theirs.Transform(data), column);
            foreach (var (model, where) in new[] { (ours, "in memory"), (Saved(ours, data), "from ML.NET's file"), (Archived(ours, data), "from our file") })
            {
                var found = Describe(model.Transform(data), column);
                Assert.AreEqual(expected.Type, found.Type, where);
                Assert.AreEqual(expected.KeyValuesType, found.KeyValuesType, where);
                CollectionAssert.AreEqual(expected.KeyValues, found.KeyValues, where);
                CollectionAssert.AreEqual(expected.Rows, found.Rows, where);
            }
        }
    }

    private static ITransformer Saved(ITransformer model, IDataView data)
    {
        using var file = new MemoryStream();
        new MLContext().Model.Save(model, data.Schema, file);
        return new MLContext().Model.Load(file, out _);
    }

    private static ITransformer Archived(ITransformer model, IDataView data)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            new MLContext().Compression().Save(model, data.Schema, path);
            return new MLContext().Compression().Load(path, out _);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Column Describe(IDataView view, string name)
    {
        var column = view.Schema[name];
        var type = column.Annotations.Schema.GetColumnOrNull("KeyValues")?.Type as VectorDataViewType;
        var values = type is null ? [] : Call(type.ItemType, nameof(KeyValues), column);
        return new(column.Type.ToString()!, type?.ToString(), values, Call(column.Type, nameof(Rows), view, column));
    }

    private static string[] Call(DataViewType type, string method, params object[] arguments) => (string[])typeof(LabelTypeTests)
        .GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type.RawType).Invoke(null, arguments)!;

    private static string[] KeyValues<T>(DataViewSchema.Column column)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue("KeyValues", ref values);
        return [.. values.DenseValues().Select(Text)];
    }

    private static string[] Rows<T>(IDataView view, DataViewSchema.Column column)
    {
        using var cursor = view.GetRowCursor([column]);
        var (getter, rows) = (cursor.GetGetter<T>(column), new List<string>());
        T value = default!;
        while (cursor.MoveNext())
        {
            getter(ref value);
            rows.Add(Text(value));
        }

        return [.. rows];
    }

    /// <summary>To the last tick of a date and the last bit of a number.</summary>
    private static string Text<T>(T value) => value switch
    {
        DateTime or DateTimeOffset => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value!.ToString()!,
    };

    private sealed record Column(string Type, string? KeyValuesType, string[] KeyValues, string[] Rows);

    /// <summary>Rows that tell their class, and what their labels are.</summary>
    public abstract class Label(int count)
    {
        public int Count => count;

        public abstract IDataView Rows(MLContext ml);

        /// <summary>Rows of the classes in turn, a feature for each class.</summary>
        protected IEnumerable<Row<T>> Rows<T>(Func<int, T> label)
            => Enumerable.Range(0, 30).Select(i => i % count)
                .Select(i => new Row<T> { Features = [i == 0 ? 1 : 0, i == 1 ? 1 : 0, i == 2 ? 1 : 0], Label = label(i) }).ToArray();
    }

    private sealed class Value<T>(params T[] classes) : Label(classes.Length)
    {
        public override IDataView Rows(MLContext ml) => ml.Data.LoadFromEnumerable(Rows(i => classes[i]));

        public override string ToString() => typeof(T).Name;
    }

    /// <summary>Keys of that size in memory, without values. Objects hold none of two bytes, so that they are made by a step.</summary>
    private sealed class Key(DataKind kind) : Label(3)
    {
        public override IDataView Rows(MLContext ml)
        {
            var definition = SchemaDefinition.Create(typeof(Row<uint>));
            definition["Label"].ColumnType = new KeyDataViewType(typeof(uint), Count);
            var rows = ml.Data.LoadFromEnumerable(Rows(i => (uint)i), definition);
            return ml.Transforms.Conversion.ConvertType("Label", outputKind: kind).Fit(rows).Transform(rows);
        }

        public override string ToString() => $"a key of {kind}";
    }

    private sealed class NamedKey(params string[] names) : Label(names.Length)
    {
        public override IDataView Rows(MLContext ml)
        {
            var definition = SchemaDefinition.Create(typeof(Row<uint>));
            definition["Label"].ColumnType = new KeyDataViewType(typeof(uint), Count);
            VBuffer<ReadOnlyMemory<char>> values = new(Count, [.. names.Select(name => name.AsMemory())]);
            definition["Label"].AddAnnotation("KeyValues", values, new VectorDataViewType(TextDataViewType.Instance, Count));
            return ml.Data.LoadFromEnumerable(Rows(i => (uint)i), definition);
        }

        public override string ToString() => $"a key named {string.Join('/', names)}";
    }

    public sealed class Row<T>
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public T Label { get; set; } = default!;
    }
}
