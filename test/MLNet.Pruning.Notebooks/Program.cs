using System.Text.Json;
using MLNet.Pruning.Notebooks;

switch (args)
{
    case ["run", .. var notebooks]:
        // Line by line, as it goes on, what the cells of each gave.
        foreach (var notebook in notebooks)
        {
            using var kernel = new Kernel();
            var cells = await kernel.Run(new(notebook));
            Console.WriteLine(JsonSerializer.Serialize(cells));
        }

        return 0;

    case ["write", var folder]:
        // The applications beside notebooks that were executed.
        foreach (var path in Directory.GetFiles(folder, "*.ipynb"))
        {
            var notebook = new Notebook(path);
            notebook.Clean();
            File.WriteAllText(Path.ChangeExtension(path, ".cs"), Application.Of(notebook));
        }

        return 0;

    default:
        Console.Error.WriteLine("run NOTEBOOK..., or write FOLDER");
        return 1;
}
