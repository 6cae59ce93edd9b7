namespace MLNet.Pruning.Cli.Runtime;

/// <summary>A file and the network in it.</summary>
internal sealed record Model(FileInfo File, Network Network)
{
    public static Model Read(FileInfo file) => new(file, Network.FromOnnx(file.ToString()));
}
