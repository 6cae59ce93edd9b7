namespace MLNet.Pruning;

/// <summary>How the pixels of an image lie in the vector of a column.</summary>
public enum ImageLayout
{
    /// <summary>One plane of height x width after the other, as networks read them and <c>ExtractPixels</c> gives them by default.</summary>
    ChannelsFirst,

    /// <summary>The channels of a pixel beside each other, height x width x channels: <c>ExtractPixels</c> with <c>interleavePixelColors</c>.</summary>
    ChannelsLast,
}
