namespace MLNet.Pruning.Tests;

/// <summary>Runs a test where Jupyter and the kernel of .NET are installed; elsewhere it is reported as ignored, with what there is none of.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresJupyterAttribute : ConditionBaseAttribute
{
    private static readonly string[] s_missing = [.. new[] { "jupyter-nbconvert", "dotnet-interactive" }.Where(program => Find(program) is null)];

    public RequiresJupyterAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = $"no {string.Join(" and no ", s_missing)} on the path: build/jupyter.sh installs what is missing";

    public override bool IsConditionMet => s_missing.Length == 0;

    public override string GroupName => nameof(RequiresJupyterAttribute);

    /// <summary>The folders that programs are looked for in: those that build/jupyter.sh writes, and the path.</summary>
    internal static string[] Path { get; } =
    [
        .. new[] { "bin", System.IO.Path.Combine("venv", "bin") }
            .Select(folder => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Repository.Find())!, "artifacts", "jupyter", folder)),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator),
    ];

    private static string? Find(string program)
        => Path.SelectMany(folder => new[] { program, $"{program}.exe" }.Select(file => System.IO.Path.Combine(folder, file))).FirstOrDefault(File.Exists);
}
