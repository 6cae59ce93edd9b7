namespace MLNet.Pruning;

/// <summary>
/// An ONNX file is damaged, hostile or not ONNX at all. The message names the file, the place in it, what was found
/// and what was expected.
/// </summary>
public sealed class OnnxFormatException : FormatException
{
    internal OnnxFormatException(string message, Exception? inner = null) : base(ErrorText.Fit(message), inner)
    {
    }
}
