using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples;

/// <summary>The four files of MNIST (LeCun, Cortes &amp; Burges), in their IDX format, gzipped or not.</summary>
internal static class MnistFiles
{
    /// <summary>The 60,000 training images.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="folder">The folder of the files.</param>
    /// <param name="pixel">Of a pixel from 0 to 1 what the network reads; by default itself.</param>
    public static IDataView Training(MLContext ml, DirectoryInfo folder, Func<float, float>? pixel = null) => Read(ml, folder, "train", pixel);

    /// <summary>The 10,000 test images.</summary>
    /// <inheritdoc cref="Training"/>
    public static IDataView Test(MLContext ml, DirectoryInfo folder, Func<float, float>? pixel = null) => Read(ml, folder, "t10k", pixel);

    private static IDataView Read(MLContext ml, DirectoryInfo folder, string part, Func<float, float>? pixel)
    {
        var values = Enumerable.Range(0, 256).Select(value => pixel?.Invoke(value / 255f) ?? value / 255f).ToArray();
        var (images, sizes) = Open(folder, $"{part}-images-idx3-ubyte", 3);
        var (labels, counts) = Open(folder, $"{part}-labels-idx1-ubyte", 1);
        if (sizes is not [var rows, 28, 28] || counts[0] != rows)
        {
            throw new InvalidDataException($"The {part} files hold images of {string.Join(" x ", sizes)} and {counts[0]} labels; expected as many 28 x 28 "
                + "images as labels.");
        }

        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(row => new Digit
        {
            Features = Array.ConvertAll(images[(row * Digit.Pixels)..((row + 1) * Digit.Pixels)], value => values[value]),
            Label = labels[row],
        }).ToArray());
    }

    /// <summary>The bytes of an IDX file and its sizes.</summary>
    private static (byte[] Values, int[] Sizes) Open(DirectoryInfo folder, string name, int dimensions)
    {
        var plain = new FileInfo(Path.Combine(folder.FullName, name));
        var packed = new FileInfo(plain.FullName + ".gz");
        if (!plain.Exists && !packed.Exists)
        {
            throw new FileNotFoundException($"There is neither {plain.Name} nor {packed.Name} in {folder.FullName}.", plain.FullName);
        }

        using Stream stream = plain.Exists ? plain.OpenRead() : new GZipStream(packed.OpenRead(), CompressionMode.Decompress);
        var header = new byte[4 + 4 * dimensions];
        stream.ReadExactly(header);
        if (header is not [0, 0, 8, ..] || header[3] != dimensions)
        {
            throw new InvalidDataException($"{name} does not begin like an IDX file of bytes in {dimensions} dimensions.");
        }

        int[] sizes = [.. Enumerable.Range(1, dimensions).Select(i => BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 * i)))];
        var values = new byte[sizes.Aggregate((product, size) => checked(product * size))];
        stream.ReadExactly(values);
        return (values, sizes);
    }

    private sealed class Digit
    {
        public const int Pixels = 28 * 28;

        /// <summary>Pixels from 0 to 1, or what was made of them.</summary>
        [VectorType(Pixels)]
        public required float[] Features { get; init; }

        /// <summary>The digit; keys of objects count from 0.</summary>
        [KeyType(10)]
        public required uint Label { get; init; }
    }
}
