using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Any ML.NET model teaches through its scores.</summary>
[TestClass]
public class ScoreTeacherTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Probabilities_of_two_sides_become_log_odds_without_a_logarithm_of_zero()
    {
        var view = ScoredRows.Sides(_ml, new() { Score = 7, Probability = 0.25f, Both = [0.9f, 0.1f] },
            new() { Score = -2, Probability = 0, Both = [0, 1], Label = true }, new() { Score = 1, Probability = 1, Both = [0.5f, 0.5f] });
        var step = ScoredRows.Step(view, LearningTask.Binary, 1);
        var end = (float)Math.Log((1 - 1e-6) / 1e-6);
        Close.AreEqual([(float)Math.Log(0.25 / 0.75), -end, end], ScoredRows.Logits(Teacher.Columns(probabilityColumnName: "Probability"), step), 1e-5,
            "named");
        Close.AreEqual([(float)Math.Log(0.25 / 0.75), -end, end], ScoredRows.Logits(Teacher.Columns(), step), 1e-5, "found");
        Close.AreEqual([7, -2, 1], ScoredRows.Logits(Teacher.Columns(), ScoredRows.Step(Without(view, "Probability"), LearningTask.Binary, 1)), 1e-6,
            "not calibrated");
        Close.AreEqual([(float)Math.Log(0.1 / 0.9), (float)Math.Log(1e6), 0], ScoredRows.Logits(Teacher.Columns("Both"), step), 1e-4,
            "both sides, as ONNX models give them");
    }

    [TestMethod]
    public void Scores_of_classes_are_logits_or_probabilities_and_follow_the_order_of_the_label()
    {
        ScoredRows.Class[] rows = [new() { Label = "a", Score = [0.2f, 0.3f, 0.5f] }, new() { Label = "b", Score = [1, 0, 0] },
            new() { Label = "c", Score = [0.1f, 0.1f, 0.8f] }];
        var least = (float)Math.Log(1e-6);
        var logarithms = rows.SelectMany(row => row.Score).Select(value => value == 0 ? least : (float)Math.Log(value)).ToArray();
        Close.AreEqual(logarithms, ScoredRows.Logits(Teacher.Columns(), ScoredRows.Step(ScoredRows.Classes(_ml, rows), LearningTask.Multiclass, 3)), 1e-5,
            "probabilities");

        rows[0].Score = [0.2f, -0.3f, 4];
        Close.AreEqual([.. rows.SelectMany(row => row.Score)],
            ScoredRows.Logits(Teacher.Columns(), ScoredRows.Step(ScoredRows.Classes(_ml, rows), LearningTask.Multiclass, 3)), 0, "logits");

        // A teacher that met the classes in another order.
        float[][] points = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
        ScoredRows.Class[] Table(string order) => [.. Enumerable.Range(0, 60)
            .Select(i => new ScoredRows.Class { Label = $"{order[i % 3]}", Features = points["abc".IndexOf(order[i % 3])], Score = [0, 0, 0] })];
        var teacher = _ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(3, 3), epochs: 30, learningRate: 0.1))
            .Fit(_ml.Data.LoadFromEnumerable(Table("cab")));
        var step = ScoredRows.Step(ScoredRows.Classes(_ml, Table("abc")), LearningTask.Multiclass, 3);
        var model = teacher.LastTransformer;
        var said = ScoredRows.Logits(Teacher.Model(model), step);
        var own = model.Transform(step.View).GetColumn<float[]>("Score").ToArray();
        for (var row = 0; row < own.Length; row++)
        {
            // The teacher counts c, a, b; the label a, b, c.
            float[] expected = [.. new[] { 1, 2, 0 }.Select(slot => (float)Math.Log(Math.Max(own[row][slot], 1e-6)))];
            Close.AreEqual(expected, said.AsSpan(row * 3, 3), 1e-4, $"row {row}");
            Assert.AreEqual(row % 3, Array.IndexOf(expected, expected.Max()), "the teacher knows its classes");
        }

        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            ScoredRows.Logits(Teacher.Model(model), ScoredRows.Step(ScoredRows.Classes(_ml,
                Table("abc").Select(row => new ScoredRows.Class { Label = row.Label + "x", Features = row.Features, Score = row.Score }).ToArray()),
                    LearningTask.Multiclass, 3))).Message, "ax");
    }

    [TestMethod]
    public void Scores_stay_with_their_rows_where_invalid_rows_are_left_out()
    {
        var view = ScoredRows.Sides(_ml, new() { Probability = 0.1f }, new() { Probability = 0.2f, Features = [float.NaN, 0, 0] },
            new() { Probability = 0.3f, Label = true });
        var step = ScoredRows.Step(view, LearningTask.Binary, 1, skipInvalidRows: true);
        Close.AreEqual([(float)Math.Log(0.1 / 0.9), (float)Math.Log(0.3 / 0.7)], ScoredRows.Logits(Teacher.Columns(), step), 1e-5, "two rows");
        var shorter = new Shorter(_ml);
        var message = Assert.ThrowsExactly<ArgumentException>(() => ScoredRows.Logits(Teacher.Model(shorter), step)).Message;
        StringAssert.Contains(message, "gives 2 rows");
        StringAssert.Contains(message, "3 rows");
    }

    [TestMethod]
    public void Trees_teach_a_network_in_one_chain()
    {
        var rows = _ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, "data", "breast_cancer.csv"),
            [new("Features", DataKind.Single, 0, 29), new("Class", DataKind.Single, 30)], separatorChar: ',', hasHeader: true);
        var split = _ml.Data.TrainTestSplit(_ml.Data.Cache(_ml.Transforms.CustomMapping<Kind, Benign>((from, to) => to.Label = from.Class == 1, null).Fit(rows)
            .Transform(rows)), 0.3, seed: 1);
        var model = _ml.Transforms.NormalizeMeanVariance("Features").Append(_ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 100))
            .Append(_ml.Transforms.Distill(Network.Mlp(30, 16, 1), Distillation.Response(2, 1), epochs: 40, learningRate: 3e-3)).Fit(split.TrainSet);
        var student = _ml.BinaryClassification.Evaluate(model.Transform(split.TestSet));
        ITransformer[] steps = [.. model];
        var trees = _ml.BinaryClassification.Evaluate(steps[1].Transform(steps[0].Transform(split.TestSet)));
        Assert.AreEqual(trees.AreaUnderRocCurve, student.AreaUnderRocCurve, 0.03);
        Assert.IsGreaterThan(0.95, student.AreaUnderRocCurve);
        Assert.IsNull(model.LastTransformer.State.Training.Distillation);

        // The trees alone, given as a model, in memory and from a file.
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            _ml.Model.Save(new TransformerChain<ITransformer>(steps[..2]), split.TrainSet.Schema, path);
            var loaded = _ml.Model.Load(path, out _);
            var normalised = steps[0].Transform(split.TrainSet);
            var taught = _ml.Transforms.Distill(Network.Mlp(30, 16, 1), Distillation.Response(2, 1), epochs: 40, learningRate: 3e-3, teacher: steps[1])
                .Fit(normalised);
            Assert.IsGreaterThan(0.95, _ml.BinaryClassification.Evaluate(taught.Transform(steps[0].Transform(split.TestSet))).AreaUnderRocCurve);
            var raw = ScoredStep(split.TrainSet);
            Close.AreEqual(ScoredRows.Logits(Teacher.Columns(), raw with { View = steps[1].Transform(normalised) }),
                ScoredRows.Logits(Teacher.Model(loaded), raw), 1e-5, "from a file");
        }
        finally
        {
            File.Delete(path);
        }

        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            _ml.Compression().Save(model, split.TrainSet.Schema, file);
            CollectionAssert.AreEqual(model.Transform(split.TestSet).GetColumn<float>("Score").ToArray(),
                _ml.Compression().Load(file, out _).Transform(split.TestSet).GetColumn<float>("Score").ToArray());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [TestMethod]
    public void An_ONNX_file_from_elsewhere_teaches()
    {
        var folder = Directory.CreateTempSubdirectory("teacher");
        try
        {
            var path = Path.Combine(folder.FullName, "teacher.onnx");
            var network = Network.Sequential([64], Layer.Dense(10), Layer.Softmax()).Initialize(3);
            network.SaveOnnx(path);
            var rows = Digits.Prepare(_ml).Fit(Digits.Load(_ml)).Transform(Digits.Load(_ml));
            var scored = _ml.Transforms.CopyColumns(network.Input.Name, "Features")
                .Append(_ml.Transforms.ApplyOnnxModel(network.Output.Name, network.Input.Name, path)).Fit(rows).Transform(rows);
            var options = Digits.Options(2) with { Distillation = Distillation.Response(1, 1, Teacher.Columns(network.Output.Name)), Seed = 1 };
            var taught = _ml.Transforms.Distill(options).Fit(scored);
            // The same network as a network: its logits differ by a constant a row from the logarithms of its probabilities.
            options = options with { Distillation = Distillation.Response(1, 1, network) };
            var same = _ml.Transforms.Distill(options).Fit(rows);
            Close.AreEqual(same.Network["fc1.weight"].Values.ToArray(), taught.Network["fc1.weight"].Values, 1e-3, "fc1.weight");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void What_cannot_teach_is_refused_by_name()
    {
        var view = ScoredRows.Sides(_ml, new() { Probability = 0.1f }, new() { Probability = 0.3f, Label = true });
        var step = ScoredRows.Step(view, LearningTask.Binary, 1);
        Refused<ArgumentException>(Teacher.Columns("Label"), "own label");
        Refused<ArgumentException>(Teacher.Columns("Features"), "own feature column");
        Refused<ArgumentException>(Teacher.Columns("Scores"), "Scores");
        Refused<ArgumentOutOfRangeException>(Teacher.Columns("Both", "Both"), "Both");
        Refused<InvalidOperationException>(Teacher.Columns(), "no 'Score' column", ScoredRows.Step(Without(view, "Score"), LearningTask.Binary, 1));
        Refused<TrainingDataException>(Teacher.Columns(), "Row 1",
            ScoredRows.Step(ScoredRows.Sides(_ml, new() { Probability = 1 }, new() { Probability = float.NaN, Label = true }), LearningTask.Binary, 1));
        Refused<TrainingDataException>(Teacher.Columns(), "Row 1: the teacher's probability 'Probability' is 2; expected one in [0, 1]",
            ScoredRows.Step(ScoredRows.Sides(_ml, new() { Probability = 1 }, new() { Probability = 2, Label = true }), LearningTask.Binary, 1));
        Assert.ThrowsExactly<ArgumentException>(() => Teacher.Columns(""));
        Assert.ThrowsExactly<ArgumentNullException>(() => Teacher.Model(null!));
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms
            .Distill(Network.Mlp(3, 1), Distillation.Response(teacher: Network.Mlp(3, 1).Initialize(1)), teacher: new Shorter(_ml)));

        using var bound = Teacher.Columns().Bind(step);
        Assert.ThrowsExactly<NotSupportedException>(() => bound.Run([0], ["relu1"], null));
        Assert.ThrowsExactly<NotSupportedException>(() => bound.Run([0], [], TorchSharp.torch.zeros(1, 3)));
        var options = new NeuralNetworkOptions { Network = Network.Mlp(3, 1), ValidationFraction = 0, Distillation = Distillation.Features([("fc1", "fc1")]) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.Distill(options).Fit(view)).Message, "scores");

        void Refused<T>(Teacher teacher, string told, TeacherStep? other = null) where T : Exception
            => StringAssert.Contains(Assert.ThrowsExactly<T>(() => teacher.Bind(other ?? step)).Message, told);
    }

    private IDataView Without(IDataView view, string column) => _ml.Transforms.DropColumns(column).Fit(view).Transform(view);

    private static TeacherStep ScoredStep(IDataView view)
    {
        var student = Network.Mlp(30, 1);
        var inputs = NetworkInputs.Of(view.Schema, student, ["Features"]);
        var options = new NeuralNetworkOptions { Network = student, ValidationFraction = 0 };
        TrainingData Read(IDataView rows, Network network, NetworkInputs columns)
            => TrainingRows.Read(rows, network, columns, LearningTask.Binary, options.Rows(1, default));
        return new() { View = view, Data = Read(view, student, inputs), Inputs = inputs, Label = "Label", Task = LearningTask.Binary, Keys = null,
            Device = TorchSharp.torch.CPU, BatchSize = 64, Read = Read };
    }

    public sealed class Kind
    {
        public float Class { get; set; }
    }

    public sealed class Benign
    {
        public bool Label { get; set; }
    }

    /// <summary>A model that leaves out a row.</summary>
    private sealed class Shorter(MLContext ml) : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => ml.Data.TakeRows(input, 2);

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }
}
