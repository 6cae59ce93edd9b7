using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Files;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Hostile;

[TestClass]
public sealed class HostileArchiveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("zip-step-2000.zip", "'1/' occurs twice")]
    [DataRow("zip-step-repeat.zip", "'1/' occurs twice")]
    [DataRow("zip-step-null.zip", "no name")]
    public void Steps_that_repeat_or_are_none_are_refused(string name, string problem)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Refused(Case.File("hostile/" + name));
        StringAssert.Contains(message, problem);
        Assert.IsLessThan(64L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    [DataRow("0/initial.onnx")]
    [DataRow("0.zip")]
    [DataRow("bomb.bin")]
    public void What_holds_a_thousand_times_its_size_is_refused_before_it_is_read(string entry)
    {
        var path = With(entry, new byte[200 << 20]);
        Assert.IsLessThan(1 << 20, new FileInfo(path).Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Refused(path), "expected at most");
        Assert.IsLessThan(8L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void A_zip_within_is_held_to_the_same()
    {
        using var inner = new MemoryStream();
        using (var zip = new ZipArchive(inner, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var stream = zip.CreateEntry("Predictor/Model.key").Open();
            stream.Write(new byte[200 << 20]);
        }

        var path = With("0.zip", inner.ToArray());
        var before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Refused(path), "expected at most");
        Assert.IsLessThan(16L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void An_entry_of_no_step_is_refused() => StringAssert.Contains(Refused(With("stray.bin", [1, 2, 3])), "'stray.bin'");

    [TestMethod]
    public void A_file_that_is_changed_anywhere_is_loaded_or_refused()
    {
        var bytes = File.ReadAllBytes(Clean());
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var changed = bytes.ToArray();
            for (var k = 0; k < 3; k++)
            {
                // Most of what is not weights lies in the directory at the end.
                changed[i % 2 == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(2000)] = (byte)random.Next(256);
            }

            var path = Path.Combine(_folder, "changed.zip");
            File.WriteAllBytes(path, changed);
            try
            {
                ModelFile.Unpack(new MLContext(), ModelArchive.Load(path), out _);
            }
            catch (ModelFileException e)
            {
                Assert.IsLessThanOrEqualTo(400, e.Message.Length);
            }
        }
    }

    [TestMethod]
    public void Weights_that_are_all_zeros_are_saved_so_that_they_can_be_loaded()
    {
        var path = Path.Combine(_folder, "zeros.zip");
        var archive = new ModelArchive();
        archive.Steps.Add(new(IsNetwork: true, "0/"));
        archive.Add("0/network.onnx", new byte[100 << 20]);
        archive.Save(path);
        Assert.AreEqual(100 << 20, ModelArchive.Load(path)["0/network.onnx"].Length);
    }

    private static string Refused(string path)
    {
        var message = Assert.ThrowsExactly<ModelFileException>(() => ModelFile.Unpack(new MLContext(), ModelArchive.Load(path), out _)).Message;
        StringAssert.StartsWith(message, path[..10]);
        return message;
    }

    /// <summary>A model that loads.</summary>
    private string Clean()
    {
        var path = Path.Combine(_folder, "clean.zip");
        var ml = new MLContext();
        var rows = ml.Data.LoadFromEnumerable([new Row { Feature = 1 }, new Row { Feature = 2 }]);
        ModelFile.Pack(ml, ml.Transforms.NormalizeMinMax("Scaled", nameof(Row.Feature)).Fit(rows), rows.Schema).Save(path);
        ModelFile.Unpack(ml, ModelArchive.Load(path), out _);
        return path;
    }

    private string With(string name, byte[] content)
    {
        var path = Clean();
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Update))
        {
            zip.GetEntry(name)?.Delete();
            using var stream = zip.CreateEntry(name).Open();
            stream.Write(content);
        }

        Change(path, manifest => manifest["Hashes"]![name] = Convert.ToHexStringLower(SHA256.HashData(content)));
        return path;
    }

    private static void Change(string path, Action<JsonNode> change)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Update);
        JsonNode manifest;
        using (var stream = zip.GetEntry("manifest.json")!.Open())
        {
            manifest = JsonNode.Parse(stream)!;
        }

        change(manifest);
        zip.GetEntry("manifest.json")!.Delete();
        using var written = new StreamWriter(zip.CreateEntry("manifest.json").Open());
        written.Write(manifest.ToJsonString());
    }

    private sealed class Row
    {
        public float Feature { get; set; }
    }
}
