using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Files;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML;
using Microsoft.ML.Data;

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
    [DataRow("\"Task\": \"Multiclass\"", "\"Task\": \"Ranking\"", "'Ranking'")]
    [DataRow("\"Task\":", "\"Aim\":", "'Task'")]
    [DataRow("\"Layout\": \"ChannelsFirst\"", "\"Layout\": 7", "7 is not a text")]
    [DataRow("\"Type\": \"Single\"", "\"Type\": \"Octuple\"", "'Octuple'")]
    [DataRow("\"Dimensions\": [", "\"Dimensions\": [ -1, ", "state.json")]
    [DataRow("\"Columns\": [", "\"Columns\": 3, \"Others\": [", "3 is not a list")]
    [DataRow("\"Columns\": [", "\"Columns\": [ 5, ", "state.json")]
    [DataRow("\"Requested\": \"Auto\"", "\"Requested\": \"Abacus\"", "state.json")]
    [DataRow("\"Requested\": \"Auto\"", "\"Requested\": [", "state.json")]
    public void What_scores_is_read_with_the_file(string written, string found, string problem)
        => StringAssert.Contains(Refused(Edited("state.json", written, found)), problem);

    [TestMethod]
    [DataRow("\"Sparsity\":", "\"Sparsity\": \"much\", \"Others\":", true)]
    [DataRow("\"Optimizer\": \"Adam(", "\"Optimizer\": \"Eve(", false)]
    [DataRow("\"SplitSeed\":", "\"Seed\":", false)]
    [DataRow("\"Kept\": \"", "\"Kept\": \"AAAAAAAAAAA", false)]
    public void What_only_later_steps_and_people_ask_for_is_refused_when_they_do(string written, string found, bool isReport)
    {
        var path = Edited("state.json", written, found);
        var ml = new MLContext();
        var loaded = (NeuralNetworkTransformer)ml.Compression().Load(path, out var schema);
        Assert.AreEqual(1, loaded.Transform(Features(ml, schema)).GetColumn<float[]>("Score").Count());
        Refuses(path, isReport ? () => _ = loaded.Report : () => _ = loaded.Masks);
        Refuses(path, () => ml.Compression().Save(loaded, schema, Path.Combine(_folder, "again.zip")));
    }

    [TestMethod]
    public void A_network_that_only_later_steps_ask_for_is_refused_when_they_do()
    {
        var path = Edited("initial.onnx", "fc1.weight", "fc1");
        var ml = new MLContext();
        var rows = ml.Compression().Load(path, out var schema).Transform(Features(ml, schema));
        Assert.AreEqual(1, rows.GetColumn<float[]>("Score").Count());
        Refuses(path, () => ml.Transforms.Prune(0.6, fineTuneEpochs: 0).Fit(rows));
    }

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
                changed[i % 2 == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(bytes.Length / 2)] = (byte)random.Next(256);
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

    private static void Refuses(string path, Action action)
        => StringAssert.StartsWith(Assert.ThrowsExactly<ModelFileException>(action).Message, path[..10]);

    /// <summary>A pruned network's file with a text in one of its entries in the place of another, and the hash of that.</summary>
    private string Edited(string entry, string written, string found)
    {
        var (ml, path) = (new MLContext(1), Path.Combine(_folder, "edited.zip"));
        var definition = SchemaDefinition.Create(typeof(Labelled));
        definition[nameof(Labelled.Label)].ColumnType = new KeyDataViewType(typeof(uint), 2);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Labelled { Features = [i, 1], Label = (uint)(i % 2) }), definition);
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(2, 3, 2), epochs: 1).Append(ml.Transforms.Prune(0.5)).Fit(rows);
        ml.Compression().Save(model.LastTransformer, rows.Schema, path);
        var name = "0/" + entry;
        byte[] content;
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Update))
        {
            using (var stream = zip.GetEntry(name)!.Open())
            using (var whole = new MemoryStream())
            {
                stream.CopyTo(whole);
                var text = Encoding.Latin1.GetString(whole.ToArray());
                StringAssert.Contains(text, written);
                content = Encoding.Latin1.GetBytes(text.Replace(written, found));
            }

            zip.GetEntry(name)!.Delete();
            using var changed = zip.CreateEntry(name).Open();
            changed.Write(content);
        }

        Change(path, manifest => manifest["Hashes"]![name] = Convert.ToHexStringLower(SHA256.HashData(content)));
        return path;
    }

    private static IDataView Features(MLContext ml, DataViewSchema schema)
    {
        var definition = SchemaDefinition.Create(typeof(Labelled));
        definition[nameof(Labelled.Label)].ColumnType = schema["Label"].Type;
        return ml.Data.LoadFromEnumerable([new Labelled { Features = [1, 2], Label = 1 }], definition);
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

    private sealed class Labelled
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }

    private sealed class Row
    {
        public float Feature { get; set; }
    }
}
