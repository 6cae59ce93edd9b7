using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Documents;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.PackageManagement;

namespace MLNet.Pruning.Notebooks;

/// <summary>A kernel for C# as notebooks have it, which references packages.</summary>
internal sealed class Kernel : IDisposable
{
    private readonly CompositeKernel _root;

    public Kernel()
    {
        var csharp = new CSharpKernel().UseNugetDirective(static async (kernel, packages) =>
        {
            kernel.AddAssemblyReferences(packages.SelectMany(package => package.AssemblyPaths));
            // What the tool does, whose own loader is in no package.
            foreach (var package in packages)
            {
                var script = new FileInfo(Path.Combine(package.PackageRoot, "interactive-extensions", "dotnet", "extension.dib"));
                if (script.Exists)
                {
                    await kernel.RootKernel.LoadAndRunInteractiveDocument(script);
                }
            }
        }).UseKernelHelpers().UseWho().UseValueSharing();
        _root = new() { csharp };
        _root.DefaultKernelName = csharp.Name;
    }

    /// <summary>Runs the cells of a notebook until one fails.</summary>
    /// <param name="file">The notebook.</param>
    public async Task<IReadOnlyList<Cell>> Run(FileInfo file)
    {
        var kernels = new KernelInfoCollection { DefaultKernelName = "csharp" };
        kernels.Add(new("csharp", languageName: "C#", aliases: ["c#", "C#"]));
        var cells = new List<Cell>();
        foreach (var element in (await InteractiveDocument.LoadAsync(file, kernels)).Elements.Where(element => element.KernelName is null or "" or "csharp"))
        {
            var cell = await Run(element.Contents);
            cells.Add(cell);
            if (cell.Error is not null)
            {
                break;
            }
        }

        return cells;
    }

    public void Dispose() => _root.Dispose();

    private async Task<Cell> Run(string code)
    {
        var printed = new List<string>();
        var shown = new List<Output>();
        string? error = null;
        foreach (var one in (await _root.SendAsync(new SubmitCode(code, "csharp"))).Events)
        {
            switch (one)
            {
                case StandardOutputValueProduced output:
                    printed.Add(output.FormattedValues.First().Value);
                    break;
                case StandardErrorValueProduced output:
                    printed.Add(output.FormattedValues.First().Value);
                    break;
                case ReturnValueProduced value:
                    shown.AddRange(value.FormattedValues.Select(form => new Output(form.MimeType, form.Value)));
                    break;
                case CommandFailed failed:
                    error = $"{failed.Message}\n{failed.Exception}";
                    break;
            }
        }

        return new(string.Concat(printed), shown, error);
    }
}

/// <summary>What running a cell gave.</summary>
/// <param name="Printed">What it wrote.</param>
/// <param name="Shown">What its last expression is shown as.</param>
/// <param name="Error">Why it failed; null where it did not.</param>
internal sealed record Cell(string Printed, IReadOnlyList<Output> Shown, string? Error);

/// <summary>A form of a value.</summary>
internal sealed record Output(string MimeType, string Value);
