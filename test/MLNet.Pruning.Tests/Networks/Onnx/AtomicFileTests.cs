using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(251)]
    [DataRow(243)]
    [DataRow(1)]
    public void Names_as_long_as_file_systems_allow_are_written(int length)
    {
        var name = new string('m', length) + ".txt";
        Write(name, "new");
        Write(name, "newer");
        Assert.AreEqual("newer", File.ReadAllText(In(name)));
        CollectionAssert.AreEqual(new[] { name }, Names());
    }

    [TestMethod]
    public void External_data_of_a_long_name_is_written_and_read()
    {
        var model = OnnxModels.Small();
        model.Graph.Initializer.Add(OnnxTensor.FromFloats("large", [300], new float[300]));
        // Three bytes a letter, two halves each of four.
        foreach (var name in new[] { new string('w', 251) + ".bin", string.Concat(Enumerable.Repeat("重", 83)) + ".bin",
            string.Concat(Enumerable.Repeat("😀", 62)) + ".bin" })
        {
            OnnxFile.Write(model, In("m.onnx"), name);
            Assert.AreEqual(300, OnnxFile.Read(In("m.onnx")).Graph.Initializer.Single(tensor => tensor.Name == "large").Dims[0]);
        }
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [UnsupportedOSPlatform("windows")]
    public void Permissions_of_an_older_file_stay()
    {
        Write("m", "old");
        foreach (var mode in new[] { UnixFileMode.UserRead | UnixFileMode.UserWrite, (UnixFileMode)0b110_110_110, (UnixFileMode)0b111_101_101,
            UnixFileMode.UserRead })
        {
            File.SetUnixFileMode(In("m"), mode);
            Write("m", "new");
            Assert.AreEqual(mode, File.GetUnixFileMode(In("m")));
        }
    }

    [TestMethod]
    public void Links_stay_and_what_they_lead_to_is_written()
    {
        Directory.CreateDirectory(In("store/deep"));
        Write("store/m", "old");
        File.CreateSymbolicLink(In("link"), Path.Combine("store", "m"));
        File.CreateSymbolicLink(In("second"), In("link"));
        File.CreateSymbolicLink(In("dangling"), Path.Combine("store", "not-yet"));
        // ".." behind a link leads to the parent of where the link leads.
        Directory.CreateSymbolicLink(In("alias"), Path.Combine("store", "deep"));
        File.CreateSymbolicLink(In("store/deep/up"), Path.Combine("..", "up"));
        foreach (var (link, target) in new[] { ("link", "store/m"), ("second", "store/m"), ("dangling", "store/not-yet"), ("alias/up", "store/up") })
        {
            Write(link, link);
            Assert.AreEqual(link, File.ReadAllText(In(target)));
            Assert.IsNotNull(new FileInfo(In(link)).LinkTarget, link);
        }

        CollectionAssert.AreEqual(new[] { "alias", "dangling", "link", "second", "store" }, Names());
        File.CreateSymbolicLink(In("loop"), "loop");
        StringAssert.Contains(Assert.ThrowsExactly<IOException>(() => Write("loop", "")).Message, "links");
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void What_is_no_regular_file_is_left_alone_and_not_read()
    {
        Directory.CreateDirectory(In("folder"));
        Run("mkfifo", In("pipe"));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(In("socket")));
        // Who may not make devices may not replace those of the machine either.
        var device = Run("mknod", In("device"), "c", "1", "5") ? In("device") : "/dev/zero";
        File.CreateSymbolicLink(In("link"), device);
        foreach (var (path, kind) in new[] { (In("folder"), "folder"), (In("pipe"), "pipe"), (In("socket"), "socket"), (device, "device"),
            (In("link"), "device") })
        {
            var message = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, _ => Assert.Fail("nothing is to be written"))).Message;
            StringAssert.Contains(message, path);
            StringAssert.Contains(message, kind);
            message = Assert.ThrowsExactly<OnnxFormatException>(() => Network.FromOnnx(path)).Message;
            StringAssert.Contains(message, path);
            StringAssert.Contains(message, kind);
            Assert.AreEqual(FileKind.NotRegular(path), "a " + kind, "it is what it was");
            Assert.ThrowsExactly<ModelFileException>(() => ModelArchive.Load(path));
            Assert.ThrowsExactly<ModelFileException>(() => Network.Mlp(1, 1).Initialize(0).LoadMasks(path));
            Assert.ThrowsExactly<SearchStateException>(() => new SearchState(path, []));
        }
    }

    [TestMethod]
    public void A_missing_folder_is_named_as_the_caller_named_it()
    {
        var path = In(Path.Combine("absent", "m.onnx"));
        StringAssert.Contains(Assert.ThrowsExactly<DirectoryNotFoundException>(() => AtomicFile.Write(path, _ => { })).Message, path);
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => Network.FromOnnx(path)).Message, path);
    }

    [TestMethod]
    public void What_a_killed_save_left_is_gone_after_the_next()
    {
        var left = "";
        AtomicFile.Write(In("m"), stream => left = Directory.GetFiles(_folder).Single());
        Assert.AreNotEqual(In("m"), left);
        File.WriteAllText(left, "half");
        Write("m", "whole");
        Assert.AreEqual("whole", File.ReadAllText(In("m")));
        CollectionAssert.AreEqual(new[] { "m" }, Names());
    }

    [TestMethod]
    public void Saves_at_the_same_time_do_not_disturb_each_other()
    {
        // One inside the other: the inner ends first, the outer replaces it.
        AtomicFile.Write(In("m"), outer =>
        {
            outer.Write("outer"u8);
            Write("m", "inner");
            Assert.AreEqual("inner", File.ReadAllText(In("m")));
        });
        Assert.AreEqual("outer", File.ReadAllText(In("m")));
        Parallel.For(0, 8, i =>
        {
            for (var k = 0; k < 20; k++)
            {
                Write("m", new string((char)('a' + i), 10_000));
                Assert.AreEqual(1, File.ReadAllText(In("m")).Distinct().Count());
            }
        });
        CollectionAssert.AreEqual(new[] { "m" }, Names());
    }

    private static bool Run(string program, params string[] arguments) => ChildProcess.Run(new ProcessStartInfo(program, arguments)).ExitCode == 0;

    private string In(string name) => Path.Combine(_folder, name);

    private string[] Names() => [.. Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    private void Write(string name, string text) => AtomicFile.Write(In(name), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
