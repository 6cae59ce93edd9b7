namespace MLNet.Pruning;

/// <summary>
/// A file or stream that <c>ml.Compression().Load</c> or <c>network.LoadMasks</c> cannot read: damaged, incomplete, or none of its kind. The message
/// names the file, the part of it and what is wrong.
/// </summary>
public sealed class ModelFileException : FormatException
{
    internal ModelFileException(string message, Exception? inner = null) : base(ErrorText.Fit(message), inner)
    {
    }
}
