namespace MLNet.Pruning.Files;

/// <summary>Paths that lead through links.</summary>
internal static class LinkedPath
{
    // As many as Linux follows before it takes a chain of links for a loop.
    private const int MaximumLinks = 40;

    /// <summary>The path without links: .NET follows those of the last component only.</summary>
    /// <param name="path">Need not exist.</param>
    /// <exception cref="IOException">It leads through more than 40 links.</exception>
    public static string Resolve(string path)
    {
        var full = Path.GetFullPath(path);
        var resolved = Path.GetPathRoot(full)!;
        var rest = new Stack<string>(Components(full[resolved.Length..]));
        for (var links = 0; rest.TryPop(out var component);)
        {
            if (component == "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }

            var next = Path.Combine(resolved, component);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MaximumLinks)
            {
                throw new IOException($"{path} leads through more than {MaximumLinks} links.");
            }

            var start = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
            resolved = start.Length > 0 ? start : resolved;
            foreach (var part in Components(target[start.Length..]))
            {
                rest.Push(part);
            }
        }

        return resolved;
    }

    /// <summary>The names in a path, last first.</summary>
    private static IEnumerable<string> Components(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").Reverse();
}
