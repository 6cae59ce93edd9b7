using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>Files like those of MNIST that hold the digits of samples/data in 28 x 28 pixels.</summary>
internal static class IdxDigits
{
    /// <summary>Writes the four files.</summary>
    /// <returns>The digits, 64 counts and the class each: first those to train on, then the others.</returns>
    public static byte[][] Write(DirectoryInfo folder, int trainingRows)
    {
        var digits = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv"))
            .Select(line => line.Split(',').Select(value => byte.Parse(value, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        Write(folder, "train", digits[..trainingRows]);
        Write(folder, "t10k", digits[trainingRows..]);
        return digits;
    }

    /// <summary>How many digits a network takes for others, by ONNX Runtime.</summary>
    /// <param name="path">The network.</param>
    /// <param name="digits">The digits.</param>
    /// <param name="change">Of a pixel from 0 to 1 what the network reads; by default itself.</param>
    public static int Errors(string path, byte[][] digits, Func<float, float>? change = null)
    {
        // Threads of the session's own would wait for work in a loop.
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        var input = session.InputMetadata.Single();
        var wrong = 0;
        foreach (var digit in digits)
        {
            var pixels = Array.ConvertAll(Pixels(digit), pixel => change?.Invoke(pixel / 255f) ?? pixel / 255f);
            var tensor = new DenseTensor<float>(pixels, [1, .. input.Value.Dimensions.Skip(1)]);
            using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(input.Key, tensor)]);
            var scores = outputs.Single().AsEnumerable<float>()!.ToArray();
            wrong += Array.IndexOf(scores, scores.Max()) == digit[64] ? 0 : 1;
        }

        return wrong;
    }

    /// <summary>8 x 8 counts of 0 to 16 as 24 x 24 pixels of 0 to 255 with a border of two.</summary>
    private static byte[] Pixels(byte[] digit)
    {
        var pixels = new byte[28 * 28];
        for (var row = 0; row < 24; row++)
        {
            for (var column = 0; column < 24; column++)
            {
                pixels[(row + 2) * 28 + column + 2] = (byte)(digit[row / 3 * 8 + column / 3] * 255 / 16);
            }
        }

        return pixels;
    }

    private static void Write(DirectoryInfo folder, string part, byte[][] digits)
    {
        Idx(folder, $"{part}-images-idx3-ubyte.gz", [digits.Length, 28, 28], digits.SelectMany(Pixels));
        Idx(folder, $"{part}-labels-idx1-ubyte.gz", [digits.Length], digits.Select(digit => digit[64]));
    }

    private static void Idx(DirectoryInfo folder, string name, int[] sizes, IEnumerable<byte> values)
    {
        using var stream = new GZipStream(File.Create(Path.Combine(folder.FullName, name)), CompressionLevel.Fastest);
        stream.Write([0, 0, 8, (byte)sizes.Length]);
        foreach (var size in sizes)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, size);
            stream.Write(bytes);
        }

        stream.Write([.. values]);
    }
}
