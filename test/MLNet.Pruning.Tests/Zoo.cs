using System.Diagnostics;
using System.Text.Json;

namespace MLNet.Pruning.Tests;

/// <summary>
/// ONNX files that PyTorch exports: networks people use, and small models of one operator each. They are made on first use, in
/// artifacts/zoo, and made anew when the program that writes them is newer.
/// </summary>
internal static class Zoo
{
    /// <summary>The networks; see test/peers/export_zoo.py.</summary>
    public static readonly string[] Networks =
    [
        "mlp", "lenet5", "lenet5_batch1", "tiny_resnet", "resnet18", "resnet18_train", "resnet50", "vgg11_bn", "vgg16", "densenet121", "mobilenet_v2", "mobilenet_v3_small",
        "mobilenet_v3_large", "squeezenet1_1", "shufflenet_v2_x1_0", "efficientnet_b0", "inception_v3", "googlenet", "convnext_tiny", "vit", "swin",
        "lstm", "lstm2", "bilstm", "bilstm2", "gru", "gru2", "bigru", "bigru2", "rnn", "birnn2", "lstm_sequence", "lstm_steps", "bigru_steps",
        "transformer", "transformer_gelu", "transformer_norm_first", "transformer_norm_first_gelu",
        .. Enumerable.Range(9, 9).Select(opset => $"smallcnn_opset{opset}"),
    ];

    private static readonly string s_root = Path.GetDirectoryName(Repository.Find())!;
    private static readonly string s_folder = Path.Combine(s_root, "artifacts", "zoo");
    private static readonly Lazy<bool> s_networks = new(ExportNetworks);
    private static readonly Lazy<ZooModel[]> s_operators = new(ExportOperators);

    /// <summary>The small models, by name.</summary>
    public static IReadOnlyList<ZooModel> Operators => s_operators.Value;

    /// <summary>One of the <see cref="Networks"/>.</summary>
    public static ZooModel Network(string name)
    {
        _ = s_networks.Value;
        using var description = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_folder, name + ".json")));
        return ZooModel.Read(description.RootElement, s_folder);
    }

    /// <summary>One of the <see cref="Operators"/>.</summary>
    public static ZooModel Operator(string name) => Operators.Single(model => model.Name == name);

    private static bool ExportNetworks()
    {
        using var alone = Lock();
        var program = Path.Combine(s_root, "test", "peers", "export_zoo.py");
        var missing = Networks.Where(name => IsOlder(Path.Combine(s_folder, name + ".json"), program)).ToArray();
        if (missing.Length > 0)
        {
            foreach (var name in missing)
            {
                File.Delete(Path.Combine(s_folder, name + ".json"));
            }

            Run(program, [s_folder, .. missing]);
        }

        return true;
    }

    private static ZooModel[] ExportOperators()
    {
        using var alone = Lock();
        var (folder, peers) = (Path.Combine(s_folder, "operators"), Path.Combine(s_root, "test", "peers"));
        var (list, program) = (Path.Combine(folder, "operators.json"), Path.Combine(peers, "export_operators.py"));
        if (IsOlder(list, program) || IsOlder(list, Path.Combine(peers, "operator_models.py")))
        {
            Run(program, [folder]);
        }

        using var models = JsonDocument.Parse(File.ReadAllText(list));
        return [.. models.RootElement.GetProperty("models").EnumerateArray().Select(model => ZooModel.Read(model, folder))];
    }

    private static bool IsOlder(string file, string program) => !File.Exists(file) || File.GetLastWriteTimeUtc(file) < File.GetLastWriteTimeUtc(program);

    /// <summary>Keeps other test processes from writing the same files.</summary>
    private static FileStream Lock()
    {
        Directory.CreateDirectory(s_folder);
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(s_folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                Thread.Sleep(200);
            }
        }
    }

    private static void Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [program, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            var missing = errors.Contains("ModuleNotFoundError", StringComparison.Ordinal) ? " Install python3-torchvision and python3-onnx; build/test.sh does." : "";
            Assert.Fail($"{Path.GetFileName(program)} ended with {process.ExitCode}.{missing}\n{output.Result}\n{errors}");
        }
    }
}
