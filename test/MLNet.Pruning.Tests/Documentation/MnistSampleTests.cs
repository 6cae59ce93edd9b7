using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/Mnist from end to end, on files like those of MNIST that hold the digits of samples/data in 28 x 28 pixels.</summary>
[TestClass]
public class MnistSampleTests
{
    private const int TrainingRows = 900;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mnist");

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public void A_recipe_reports_what_any_runtime_measures_and_goes_on_after_a_stop()
    {
        var digits = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv"))
            .Select(line => line.Split(',').Select(value => byte.Parse(value, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        Write("train", digits[..TrainingRows]);
        Write("t10k", digits[TrainingRows..]);
        // The README's command, on these files and with fewer seeds.
        var command = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "README.md")).Single(line => line.StartsWith("dotnet run -c Release --project samples/Mnist -- ", StringComparison.Ordinal));
        string[] arguments = [.. command.Split(" -- ")[1].Replace("path/to/mnist", _folder.FullName).Split(' '), "--seeds", "2", "--output", _folder.FullName];
        var (exitCode, printed, errors) = Sample.RunMnist(arguments);
        Assert.AreEqual(0, exitCode, errors + printed);

        var results = Path.Combine(_folder.FullName, "lenet300");
        var written = File.ReadAllText(Path.Combine(results, "report.json"));
        using var report = JsonDocument.Parse(written);
        Assert.AreEqual(266_610, report.RootElement.GetProperty("parameters").GetInt64());
        var best = report.RootElement.GetProperty("seeds").EnumerateArray().Single(seed => seed.GetProperty("seed").GetInt32() == report.RootElement.GetProperty("best").GetInt32());
        var validation = report.RootElement.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetProperty("validationAccuracy").GetDouble()).ToArray();
        Assert.AreEqual(2, validation.Length);
        Assert.AreEqual(validation.Max(), best.GetProperty("validationAccuracy").GetDouble());
        Assert.AreEqual(TestError(Path.Combine(results, "best.onnx"), digits[TrainingRows..]), best.GetProperty("testError").GetDouble(), 1e-9);

        // As after a kill between two stages: the last one is run again, with the same result.
        foreach (var file in Directory.GetFiles(Path.Combine(results, "seed1")).Order().TakeLast(1))
        {
            File.Delete(file);
        }

        (exitCode, printed, errors) = Sample.RunMnist(arguments);
        Assert.AreEqual(0, exitCode, errors + printed);
        Assert.AreEqual(written, File.ReadAllText(Path.Combine(results, "report.json")));

        File.WriteAllText(Path.Combine(results, "settings.json"), "[]");
        (exitCode, _, errors) = Sample.RunMnist(arguments);
        Assert.AreNotEqual(0, exitCode);
        StringAssert.Contains(errors, "other settings");
    }

    /// <summary>Error in percent by ONNX Runtime.</summary>
    private static double TestError(string path, byte[][] digits)
    {
        using var session = new InferenceSession(path);
        var input = session.InputMetadata.Single();
        var wrong = 0;
        foreach (var digit in digits)
        {
            var tensor = new DenseTensor<float>(Array.ConvertAll(Pixels(digit), pixel => pixel / 255f), [1, .. input.Value.Dimensions.Skip(1)]);
            using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(input.Key, tensor)]);
            var scores = outputs.Single().AsEnumerable<float>()!.ToArray();
            wrong += Array.IndexOf(scores, scores.Max()) == digit[64] ? 0 : 1;
        }

        return 100.0 * wrong / digits.Length;
    }

    /// <summary>8 x 8 counts of 0 to 16 as 24 x 24 pixels of 0 to 255 with a border of two.</summary>
    private static byte[] Pixels(byte[] digit)
    {
        var pixels = new byte[28 * 28];
        for (var row = 0; row < 24; row++)
        {
            for (var column = 0; column < 24; column++)
            {
                pixels[(row + 2) * 28 + column + 2] = (byte)(digit[row / 3 * 8 + column / 3] * 255 / 16);
            }
        }

        return pixels;
    }

    private void Write(string part, byte[][] digits)
    {
        Idx($"{part}-images-idx3-ubyte.gz", [digits.Length, 28, 28], digits.SelectMany(Pixels));
        Idx($"{part}-labels-idx1-ubyte.gz", [digits.Length], digits.Select(digit => digit[64]));
    }

    private void Idx(string name, int[] sizes, IEnumerable<byte> values)
    {
        using var stream = new GZipStream(File.Create(Path.Combine(_folder.FullName, name)), CompressionLevel.Fastest);
        stream.Write([0, 0, 8, (byte)sizes.Length]);
        foreach (var size in sizes)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, size);
            stream.Write(bytes);
        }

        stream.Write([.. values]);
    }
}
