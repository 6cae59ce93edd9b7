using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MLNet.Pruning.Tests.Cli;

namespace MLNet.Pruning.Tests.Packaging;

/// <summary>The library, the tool and the templates, packed from a copy of the repository in another folder.</summary>
[TestClass]
public partial class PackageTests
{
    private const string Version = "0.1.0-test";
    private static readonly string s_revision = typeof(Network).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
    private static readonly DirectoryInfo s_folder = Directory.CreateTempSubdirectory("repository");
    private static readonly string s_copy = Path.Combine(s_folder.FullName, "copy");
    private static readonly string s_feed = Path.Combine(s_folder.FullName, "feed");

    /// <summary>
    /// Runtimes that the library is compiled for, and the machine in the headers of such assemblies: the processor's number, by exclusive or with one that
    /// stands for the system (docs/design/coreclr/botr/readytorun-format.md of dotnet/runtime).
    /// </summary>
    private static readonly Dictionary<string, int> s_machines = new()
    {
        ["linux-x64"] = 0x8664 ^ 0x7B79, ["linux-arm64"] = 0xAA64 ^ 0x7B79, ["osx-arm64"] = 0xAA64 ^ 0x4644, ["win-x64"] = 0x8664,
    };

    [ClassInitialize]
    public static void Pack(TestContext context)
    {
        // A clone, as symbols name commit and server, with what is not committed yet.
        Run("git", LocalPackage.Root, "clone", "-q", "--shared", ".", s_copy);
        var (found, origin, _) = ChildProcess.Run(new ProcessStartInfo("git", ["config", "--get", "remote.origin.url"])
        {
            WorkingDirectory = LocalPackage.Root,
        });
        Run("git", s_copy, "remote", "set-url", "origin", found == 0 ? origin.Trim() : LocalPackage.Root);
        foreach (var file in Run("git", LocalPackage.Root, "ls-files", "--cached", "--others", "--exclude-standard", "--", ".", ":!samples", ":!test", ":!docs")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var (from, to) = (Path.Combine(LocalPackage.Root, file), Path.Combine(s_copy, file));
            if (File.Exists(from))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(from, to, overwrite: true);
            }
            else
            {
                File.Delete(to);
            }
        }

        string[] options = ["-c", "Release", "-o", s_feed, "--nologo", "-v", "q", $"-p:PackageVersion={Version}", "-p:RunAnalyzers=false",
            $"-p:SourceRevisionId={s_revision.Split('+')[1]}"];
        Run("dotnet", s_copy, ["pack", "src/MLNet.Pruning.Cli", "-p:ToolPackageRuntimeIdentifiers=\"linux-arm64;any\"", .. options]);
        Run("dotnet", s_copy, ["pack", "src/MLNet.Pruning", "--no-build", .. options]);
        Run("dotnet", s_copy, ["pack", "src/MLNet.Pruning.Templates", .. options]);
    }

    [ClassCleanup]
    public static void Delete()
    {
        // Git's objects are read-only, which Windows does not delete.
        foreach (var file in s_folder.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            file.Attributes = FileAttributes.Normal;
        }

        s_folder.Delete(recursive: true);
    }

    [TestMethod]
    [DataRow("MLNet.Pruning", "src/MLNet.Pruning")]
    [DataRow("MLNet.Pruning.Cli", "src/MLNet.Pruning.Cli")]
    [DataRow("MLNet.Pruning.Cli.any", "src/MLNet.Pruning.Cli")]
    [DataRow("MLNet.Pruning.Templates", "src/MLNet.Pruning.Templates")]
    public void A_package_has_what_the_gallery_shows(string id, string project)
    {
        using var package = Open(id);
        var description = Description(package, id);
        Assert.AreEqual("The MLNet.Pruning contributors", description["authors"]);
        Assert.AreEqual("MIT", description["license"]);
        Assert.IsGreaterThan(20, description["description"].Length);
        StringAssert.Contains(description["copyright"], description["authors"]);
        StringAssert.Contains(description["tags"], "pruning");

        foreach (var (name, file) in new[]
        {
            ("LICENSE", "LICENSE"), ("THIRD-PARTY-NOTICES.txt", "THIRD-PARTY-NOTICES.txt"), (description["readme"], $"{project}/PACKAGE.md"),
            (description["icon"], "build/package/icon.png"),
        })
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(LocalPackage.Root, file)), Bytes(package, name), name);
        }

        // Signature, then the header with width and height.
        var icon = Bytes(package, description["icon"]);
        CollectionAssert.AreEqual("\u0089PNG\r\n\u001a\n".Select(letter => (byte)letter).ToArray(), icon[..8]);
        Assert.AreEqual((128, 128), (BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(20))));

        var changes = File.ReadAllText(Path.Combine(LocalPackage.Root, "CHANGELOG.md")).ReplaceLineEndings("\n").Split("\n## ");
        Assert.AreEqual("## " + changes[1].Trim(), description["releaseNotes"].ReplaceLineEndings("\n"));

        // The gallery shows the page without the repository around it.
        foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(LocalPackage.Root, project, "PACKAGE.md"))))
        {
            StringAssert.StartsWith(link.Groups[1].Value, "https://");
        }
    }

    [TestMethod]
    public void The_library_has_its_documentation_and_depends_on_what_it_was_built_with()
    {
        using var package = Open("MLNet.Pruning");
        var documented = XDocument.Parse(Text(package, "lib/net10.0/MLNet.Pruning.xml")).Descendants("member").Count();
        Assert.IsGreaterThan(1000, documented);

        var dependencies = XDocument.Parse(Text(package, "MLNet.Pruning.nuspec")).Descendants().Where(element => element.Name.LocalName == "dependency")
            .ToDictionary(element => (string)element.Attribute("id")!, element => (string)element.Attribute("version")!);
        var versions = XDocument.Load(Path.Combine(LocalPackage.Root, "Directory.Packages.props")).Descendants("ItemGroup")
            .Single(group => (string?)group.Attribute("Label") == "What users get").Elements()
            .ToDictionary(element => (string)element.Attribute("Include")!, element => (string)element.Attribute("Version")!);
        CollectionAssert.AreEquivalent(versions, dependencies);
    }

    [TestMethod]
    public void The_library_is_compiled_ahead_for_each_runtime()
    {
        using var package = Open("MLNet.Pruning");
        var assemblies = package.Entries.Where(entry => entry.Name == "MLNet.Pruning.dll" && entry.FullName.StartsWith("runtimes/"))
            .ToDictionary(entry => entry.FullName.Split('/')[1], entry => entry.FullName);
        CollectionAssert.AreEquivalent(s_machines.Keys, assemblies.Keys);
        using var common = new PEReader(new MemoryStream(Bytes(package, "lib/net10.0/MLNet.Pruning.dll")));
        Assert.AreEqual(0, common.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size);
        foreach (var (runtime, name) in assemblies)
        {
            Assert.AreEqual($"runtimes/{runtime}/lib/net10.0/MLNet.Pruning.dll", name);
            using var assembly = new PEReader(new MemoryStream(Bytes(package, name)));
            Assert.AreEqual(s_machines[runtime], (int)assembly.PEHeaders.CoffHeader.Machine, name);
            Assert.IsGreaterThan(0, assembly.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size, name);
            Assert.AreEqual(Id(common), Id(assembly), name);
        }

        using var tool = Open("MLNet.Pruning.Cli.linux-arm64");
        CollectionAssert.AreEqual(Bytes(package, assemblies["linux-arm64"]), Bytes(tool, "tools/net10.0/linux-arm64/MLNet.Pruning.dll"));

        static Guid Id(PEReader assembly)
        {
            var reader = assembly.GetMetadataReader();
            return reader.GetGuid(reader.GetModuleDefinition().Mvid);
        }
    }

    [TestMethod]
    public void Symbols_are_those_of_the_assembly()
    {
        using var package = Open("MLNet.Pruning");
        using var symbols = Open("MLNet.Pruning", "snupkg");
        using var assembly = new PEReader(new MemoryStream(Bytes(package, "lib/net10.0/MLNet.Pruning.dll")));
        var entry = assembly.ReadDebugDirectory().Single(entry => entry.Type == DebugDirectoryEntryType.CodeView);
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(symbols, "lib/net10.0/MLNet.Pruning.pdb")));
        var reader = provider.GetMetadataReader();
        Assert.AreEqual(assembly.ReadCodeViewDebugDirectoryData(entry).Guid, new BlobContentId(reader.DebugMetadataHeader!.Id).Guid);

        // No path of a machine, and what no repository has, such as generated code, is in the symbols themselves.
        var embedded = new Guid("0E8A571B-6926-466E-B4AD-8AB04611F5FE");
        foreach (var document in reader.Documents)
        {
            var name = reader.GetString(reader.GetDocument(document).Name);
            StringAssert.StartsWith(name, "/_/");
            var isEmbedded = reader.GetCustomDebugInformation(document)
                .Any(information => reader.GetGuid(reader.GetCustomDebugInformation(information).Kind) == embedded);
            Assert.AreEqual(!File.Exists(Path.Combine(LocalPackage.Root, name[3..])) || name.Contains("/obj/"), isEmbedded, name);
        }
    }

    [TestMethod]
    public void Sources_and_the_project_s_page_are_those_of_the_server_that_the_clone_came_from()
    {
        Run("git", s_copy, "remote", "set-url", "origin", "https://github.com/example/pruning.git");
        var commit = Run("git", s_copy, "rev-parse", "HEAD").Trim();
        using var answer = JsonDocument.Parse(Run("dotnet", s_copy, "msbuild", "src/MLNet.Pruning", "-t:GenerateSourceLinkFile;NameProjectPage",
            "-p:Configuration=Release", "-getProperty:SourceLink", "-getProperty:PackageProjectUrl"));
        var properties = answer.RootElement.GetProperty("Properties");
        Assert.AreEqual("https://github.com/example/pruning", properties.GetProperty("PackageProjectUrl").GetString());
        var map = File.ReadAllText(Path.Combine(s_copy, "src", "MLNet.Pruning", properties.GetProperty("SourceLink").GetString()!));
        Assert.AreEqual($$$"""{"documents":{"/_/*":"https://raw.githubusercontent.com/example/pruning/{{{commit}}}/*"}}""", map);
    }

    [TestMethod]
    public void Another_folder_gives_the_same_bytes()
    {
        using var package = Open("MLNet.Pruning");
        CollectionAssert.AreEqual(File.ReadAllBytes(typeof(Network).Assembly.Location), Bytes(package, "lib/net10.0/MLNet.Pruning.dll"),
            "built here, in Release, from the same sources");
        using var tool = Open("MLNet.Pruning.Cli.any");
        CollectionAssert.AreEqual(Bytes(package, "lib/net10.0/MLNet.Pruning.dll"), Bytes(tool, "tools/net10.0/any/MLNet.Pruning.dll"));
    }

    [TestMethod]
    public void The_tool_is_installed_from_its_packages_and_has_the_licences_of_what_it_holds()
    {
        using var package = Open("MLNet.Pruning.Cli.any");
        foreach (var name in new[] { "Microsoft.ML/LICENSE", "Microsoft.ML/THIRD-PARTY-NOTICES.TXT", "TorchSharp/LICENSE.txt",
            "Microsoft.ML.OnnxRuntime.Managed/ThirdPartyNotices.txt", "SkiaSharp/THIRD-PARTY-NOTICES.txt" })
        {
            Assert.IsGreaterThan(100, Bytes(package, $"third-party/{name}").Length, name);
        }

        var tool = Path.Combine(s_folder.FullName, "tool");
        Run("dotnet", s_folder.FullName, "tool", "install", "MLNet.Pruning.Cli", "--version", Version, "--source", s_feed, "--tool-path", tool);
        using var files = new CliFiles();
        var printed = Run(Path.Combine(tool, OperatingSystem.IsWindows() ? "mlnet-prune.exe" : "mlnet-prune"), s_folder.FullName,
            "inspect", files.Save("model.onnx", CliFiles.Convolutional()), "--json");
        using var answer = JsonDocument.Parse(printed);
        Assert.AreEqual(CliFiles.Convolutional().ParameterCount, answer.RootElement.GetProperty("total").GetProperty("parameters").GetInt64(), printed);
    }

    private static ZipArchive Open(string id, string ending = "nupkg") => ZipFile.OpenRead(Path.Combine(s_feed, $"{id}.{Version}.{ending}"));

    private static byte[] Bytes(ZipArchive package, string name)
    {
        using var stream = (package.GetEntry(name) ?? throw new AssertFailedException($"no {name} among {string.Join(", ", package.Entries)}")).Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string Text(ZipArchive package, string name) => new StreamReader(new MemoryStream(Bytes(package, name))).ReadToEnd();

    private static Dictionary<string, string> Description(ZipArchive package, string id) => XDocument.Parse(Text(package, $"{id}.nuspec")).Root!.Elements()
        .Single().Elements().ToDictionary(element => element.Name.LocalName, element => element.Value);

    /// <summary>Runs a program, which has to succeed, without the machine's packages being filled by it.</summary>
    private static string Run(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder };
        if (arguments[0] == "tool")
        {
            start.Environment["NUGET_PACKAGES"] = Path.Combine(s_folder.FullName, "packages");
        }

        var (exitCode, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, exitCode, $"{program} {string.Join(' ', arguments)}\n{output}{errors}");
        return output;
    }

    [GeneratedRegex(@"\]\(([^)]*)\)")]
    private static partial Regex Link();
}
