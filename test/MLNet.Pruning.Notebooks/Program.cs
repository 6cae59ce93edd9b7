using System.Text.Json;
using MLNet.Pruning.Notebooks;

switch (args)
{
    case ["run", .. var notebooks]:
        // A line for each, with what its cells gave. One kernel runs them all, as each restores packages for seconds; that none needs what another declares,
        // the compilation of its application tells.
        using (var kernel = new Kernel())
        {
            foreach (var notebook in notebooks)
            {
                Console.WriteLine(JsonSerializer.Serialize(await kernel.Run(new(notebook))));
            }
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
