using Microsoft.ML;

namespace MLNet.Pruning.Pages;

/// <summary>An example of a page, run; what its variables hold.</summary>
internal sealed class Example : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pages");
    private readonly string _before = Environment.CurrentDirectory;

    /// <param name="source">Its statements, with an <c>ml</c> and a <c>split</c> of rows.</param>
    /// <param name="names">Variables that hold models.</param>
    public Example(string source, IReadOnlyList<string> names)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "data"), "*.csv"))
        {
            File.Copy(file, Path.Combine(_folder.FullName, Path.GetFileName(file)));
        }

        // The example's last statement hands them over.
        var handover = $"{typeof(Results).FullName}.Take(ml, split.TestSet{string.Concat(names.Select(name => $", {name}"))});";
        var program = Compilation.Of($"{source}\n{handover}");
        // Rows are read from there again whenever they are scored.
        Environment.CurrentDirectory = _folder.FullName;
        var console = Console.Out;
        Console.SetOut(TextWriter.Null);
        program.Run();
        Console.SetOut(console);
        (Context, TestRows, Models) = (Results.Context!, Results.TestRows!, [.. Results.Models!]);
    }

    public MLContext Context { get; }

    public IDataView TestRows { get; }

    /// <summary>Those of the variables, in their order.</summary>
    public IReadOnlyList<ITransformer> Models { get; }

    /// <summary>The file of a model's network; of the last one in a chain.</summary>
    public string Onnx(int model)
    {
        var path = Path.Combine(_folder.FullName, $"model{model}.onnx");
        if (!File.Exists(path))
        {
            Network(model)!.SaveOnnx(path);
        }

        return path;
    }

    /// <summary>The last network in a model, null where there is none.</summary>
    public Network? Network(int model) => Steps(Models[model]).OfType<NeuralNetworkTransformer>().LastOrDefault()?.Network;

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        _folder.Delete(recursive: true);
    }

    private static IEnumerable<ITransformer> Steps(ITransformer model)
        => model is IEnumerable<ITransformer> chain ? chain.SelectMany(Steps) : [model];
}
