namespace MLNet.Pruning.Files;

/// <summary>Streams of a caller: read from where they are to their end, written from where they are, and left open.</summary>
internal static class OpenStream
{
    private const int Portion = 1 << 16;

    /// <summary>What a stream holds from its position on. It need not be one that can seek.</summary>
    /// <returns>The bytes; null where there are more than an array can hold.</returns>
    /// <exception cref="ArgumentException">It cannot be read.</exception>
    public static byte[]? Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead)
        {
            throw new ArgumentException($"The stream ({stream.GetType().Name}) cannot be read.", nameof(stream));
        }

        if (stream.CanSeek)
        {
            var rest = Math.Max(0, stream.Length - stream.Position);
            if (rest > Array.MaxLength)
            {
                return null;
            }

            var content = new byte[rest];
            var read = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return read == content.Length ? content : content[..read];
        }

        using var whole = new MemoryStream();
        var portion = new byte[Portion];
        for (int read; (read = stream.Read(portion)) > 0;)
        {
            if (whole.Length + read > Array.MaxLength)
            {
                return null;
            }

            whole.Write(portion, 0, read);
        }

        return whole.ToArray();
    }

    /// <summary>The stream, if it can be written.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public static Stream Writable(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanWrite ? stream : throw new ArgumentException($"The stream ({stream.GetType().Name}) cannot be written.", nameof(stream));
    }
}
