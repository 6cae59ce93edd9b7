using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune distil: students in ONNX Runtime beside a teacher that is right by construction.</summary>
[TestClass]
public class DistilTests
{
    private const int Count = 400;

    /// <summary>Three numbers in [0, 1), of which the teacher says which is the largest.</summary>
    private static readonly float[][] s_rows = Rows();

    [TestMethod]
    public void A_student_is_cut_out_of_the_teacher_and_measured_beside_it()
    {
        using var files = new CliFiles();
        var teacher = files.Save("teacher.onnx", Teacher());
        var rows = files.Write("rows.csv", ["a,b,c,y", .. s_rows.Select(row => Line(row, Largest(row)))]);
        var answer = CliProcess.Json(0, "distil", teacher, "-o", files["student.onnx"], "--width", "0.5", "--data", rows, "--label", "y", "--epochs", "3");
        Assert.AreEqual(1, answer.GetProperty("validation").GetProperty("before").GetDouble(), "the teacher is right of all rows");
        Assert.AreEqual(3, answer.GetProperty("epochs").GetArrayLength());
        Assert.AreEqual(new FileInfo(files["student.onnx"]).Length, answer.GetProperty("output").GetProperty("bytes").GetInt64());
        CollectionAssert.AreEqual(new[] { 4, 3 }, Network.FromOnnx(files["student.onnx"])["fc1.weight"].Shape.ToArray());
        Assert.AreEqual(answer.GetProperty("validation").GetProperty("after").GetDouble(), Agreement(files["student.onnx"]), 0.1);
    }

    [TestMethod]
    public void A_student_learns_what_only_the_teacher_knows()
    {
        using var files = new CliFiles();
        var teacher = files.Save("teacher.onnx", Teacher());
        var student = files.Save("student.onnx", Network.Mlp(3, 5, 3).Initialize(4));
        var labels = new Random(2);
        var rows = files.Write("rows.csv", ["a,b,c,y", .. s_rows.Select(row => Line(row, labels.Next(3)))]);
        var before = Agreement(student);
        CliProcess.Json(0, "distil", teacher, "-o", files["taught.onnx"], "--student", student, "--by", "response(2, 1)", "--data", rows, "--label", "y",
            "--epochs", "60", "--learning-rate", "0.02");
        Assert.IsLessThan(0.7, before);
        Assert.IsGreaterThan(0.93, Agreement(files["taught.onnx"]));
        Assert.Contains("outputs", CliProcess.Json(1, "distil", teacher, "-o", files["c.onnx"], "--student",
            files.Save("two.onnx", Network.Mlp(3, 5, 2).Initialize(1)), "--data", rows, "--label", "y").GetProperty("error").GetString()!);
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    /// <summary>The first three units hand the numbers on, and the others do nothing.</summary>
    private static Network Teacher()
    {
        var (first, second) = (new float[24], new float[24]);
        for (var i = 0; i < 3; i++)
        {
            (first[i * 3 + i], second[i * 8 + i]) = (4, 4);
        }

        return Network.Mlp(3, 8, 3).Initialize(1).With("fc1.weight", first).With("fc1.bias", new float[8]).With("fc2.weight", second)
            .With("fc2.bias", new float[3]);
    }

    private static float[][] Rows()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Count).Select(_ => new[] { random.NextSingle(), random.NextSingle(), random.NextSingle() })];
    }

    private static int Largest(IEnumerable<float> row) => row.Index().MaxBy(value => value.Item).Index;

    private static string Line(float[] row, int label)
        => string.Join(',', row.Select(value => value.ToString("R", CultureInfo.InvariantCulture)).Append($"{label}"));

    /// <summary>On how much of the rows ONNX Runtime's outputs are largest where the numbers are.</summary>
    private static double Agreement(string file)
    {
        using var session = new InferenceSession(file);
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0],
            new DenseTensor<float>(s_rows.SelectMany(row => row).ToArray(), [Count, 3]))]);
        var scores = outputs[0].AsTensor<float>().ToArray();
        return s_rows.Index().Average(row => Largest(scores.AsSpan(row.Index * 3, 3).ToArray()) == Largest(row.Item) ? 1.0 : 0);
    }
}
