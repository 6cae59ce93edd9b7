namespace MLNet.Pruning;

/// <summary>
/// A file that <c>ml.Compression().Load</c> cannot read: damaged, incomplete, or none of its kind. The message names the file, the entry and what is wrong.
/// </summary>
public sealed class ModelFileException : FormatException
{
    internal ModelFileException(string message, Exception? inner = null) : base(ErrorText.Fit(message), inner)
    {
    }
}
