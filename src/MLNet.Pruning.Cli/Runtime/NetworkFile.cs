namespace MLNet.Pruning.Cli.Runtime;

/// <summary>Files of networks by their ending: compressed ones end with .nnp, all others are ONNX.</summary>
internal static class NetworkFile
{
    private const string Compressed = ".nnp";

    /// <summary>Whether it is, or is to be, compressed.</summary>
    public static bool IsCompressed(FileInfo file) => file.Extension.Equals(Compressed, StringComparison.OrdinalIgnoreCase);

    /// <summary>The network in a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="sizes">Numbers for sizes that it leaves open.</param>
    /// <exception cref="UsageException">A compressed file is given sizes.</exception>
    public static Network Read(FileInfo file, IReadOnlyDictionary<string, int>? sizes = null) => !IsCompressed(file) ? Network.FromOnnx(file.ToString(), sizes)
        : sizes is null or { Count: 0 } ? Network.FromCompressed(file.ToString())
        : throw new UsageException($"--size is for ONNX files; {file} is compressed, and keeps the sizes that it has.");

    /// <summary>Writes a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="file">The file.</param>
    /// <param name="sparse">Whether an ONNX file has each weight in the form that takes least.</param>
    public static void Write(Network network, FileInfo file, bool sparse = false)
    {
        if (IsCompressed(file))
        {
            network.SaveCompressed(file.ToString());
        }
        else
        {
            network.SaveOnnx(file.ToString(), sparse);
        }
    }
}
