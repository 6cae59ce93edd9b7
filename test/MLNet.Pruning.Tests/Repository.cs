namespace MLNet.Pruning.Tests;

/// <summary>The checkout the tests run from.</summary>
internal static class Repository
{
    /// <summary>Path of the solution.</summary>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var solution = Path.Combine(folder.FullName, "MLNet.Pruning.sln");
            if (File.Exists(solution))
            {
                return solution;
            }
        }

        throw new InvalidOperationException($"No MLNet.Pruning.sln above {AppContext.BaseDirectory}.");
    }
}
