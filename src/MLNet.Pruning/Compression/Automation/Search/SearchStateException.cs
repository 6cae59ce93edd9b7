namespace MLNet.Pruning;

/// <summary>A state file that a search cannot go on from: damaged, none of its kind, or of other settings, another network or other rows.</summary>
public sealed class SearchStateException : InvalidOperationException
{
    internal SearchStateException(string message, Exception? inner = null) : base(ErrorText.Fit(message), inner)
    {
    }
}
