namespace MLNet.Pruning.Tests;

/// <summary>
/// ONNX files that PyTorch exported: networks people use, and small models of one operator each. What is committed are their graphs, made by
/// export_zoo.py and export_operators.py in test/peers; the weights are drawn when a file is first asked for.
/// </summary>
internal static class Zoo
{
    private static readonly ZooArchive s_networks = new("networks");
    private static readonly ZooArchive s_operators = new("operators");

    /// <summary>Names of the networks.</summary>
    public static IReadOnlyList<string> Networks => s_networks.Names;

    /// <summary>The small models.</summary>
    public static IEnumerable<ZooModel> Operators => s_operators.Names.Select(s_operators.Get);

    /// <summary>One of the <see cref="Networks"/>.</summary>
    public static ZooModel Network(string name) => s_networks.Get(name);

    /// <summary>One of the <see cref="Operators"/>.</summary>
    public static ZooModel Operator(string name) => s_operators.Get(name);
}
