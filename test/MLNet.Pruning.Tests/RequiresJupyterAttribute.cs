namespace MLNet.Pruning.Tests;

/// <summary>Runs a test where Jupyter and the kernel of .NET are installed; elsewhere it is reported as ignored, with what there is none of.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresJupyterAttribute : ConditionBaseAttribute
{
    public RequiresJupyterAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = $"no {string.Join(" and no ", Missing)} on the path: build/jupyter.sh installs what is missing";

    public override bool IsConditionMet => Missing.Length == 0;

    public override string GroupName => nameof(RequiresJupyterAttribute);

    /// <summary>The folders that programs are looked for in: those that build/jupyter.sh writes, and the path.</summary>
    internal static string[] Folders =>
    [
        .. new[] { "bin", Path.Combine("venv", "bin") }
            .Select(folder => Path.Combine(Path.GetDirectoryName(Repository.Find())!, "artifacts", "jupyter", folder)),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
    ];

    private static string[] Missing => [.. new[] { "jupyter-nbconvert", "dotnet-interactive" }.Where(program => !Folders.Any(folder =>
        File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, $"{program}.exe"))))];
}
