namespace MLNet.Pruning;

/// <summary>A file that <see cref="NetworkPruningExtensions.LoadMasks"/> cannot read: damaged, or none of its kind.</summary>
public sealed class MaskFileException : FormatException
{
    internal MaskFileException(string message, Exception? inner = null) : base(ErrorText.Fit(message), inner)
    {
    }
}
