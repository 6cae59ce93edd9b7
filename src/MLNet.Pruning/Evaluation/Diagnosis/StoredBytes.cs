using System.Numerics;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>What makes a file larger than what it says.</summary>
internal static class StoredBytes
{
    /// <summary>Values below which a list of those that there are is no matter.</summary>
    private const int LeastValues = 256;

    /// <summary>How often a value occurs on average where they are called few.</summary>
    private const int LeastOccurrences = 8;

    /// <summary>More different values take more bits than are won.</summary>
    private const int MostDistinct = 1 << 12;

    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var all = network.Network.Parameters;
        // A zero takes four bytes; what is not zero takes a place beside its value once zeros are left out.
        var sparse = (double)(network.Bytes - OnnxWriter.Write(network.Network, sparse: true).CalculateSize()) / network.Bytes;
        if (sparse >= network.Options.MinimumShare)
        {
            var zeros = all.Select(parameter => (parameter.Name, Zeros: (double)parameter.Count - Liveness.NonZeros(parameter.Values))).ToArray();
            yield return new(FindingKind.ZerosStored, zeros.Where(tensor => tensor.Zeros > 0).Select(tensor => new FindingPlace(tensor.Name,
                sparse * tensor.Zeros / zeros.Sum(other => other.Zeros))), sparse,
                "the file holds zeros as it holds other numbers.",
                "network.SaveOnnx(path, sparse: true), which ONNX Runtime reads; or network.SaveCompressed(path), which this library reads.",
                "prune model.onnx -o sparse.onnx --granularity weight --sparsity 0 --sparse");
        }

        FindingPlace[] few = [.. all.Where(parameter => parameter is { Type: TensorType.Float, Grid: null, CodeLength: 0, Stored: null, Count: >= LeastValues })
            .Select(parameter => new FindingPlace(parameter.Name, (double)Saved(parameter) / network.Bytes)).Where(place => place.Share > 0)];
        if (few.Sum(place => place.Share) is var share && share >= network.Options.MinimumShare)
        {
            yield return new(FindingKind.FewValues, few, share, "these tensors have few different values, each held as a float of 32 bits wherever it occurs.",
                "Hold places in a list of values: ml.Transforms.Quantize(Quantizer.Codebook(8)), exact for up to 256 of them; or network.SaveCompressed(path).",
                "quantize model.onnx -o coded.onnx --to \"codebook(8)\"");
        }
    }

    /// <summary>Bytes that a list of the values and their places take less than floats, where that is half or more.</summary>
    private static long Saved(Parameter parameter)
    {
        var distinct = new HashSet<float>();
        foreach (var value in parameter.Values)
        {
            if (distinct.Add(value) && distinct.Count > MostDistinct)
            {
                return 0;
            }
        }

        // Zeros are a matter of their own.
        if (Liveness.NonZeros(parameter.Values) < LeastOccurrences * distinct.Count)
        {
            return 0;
        }

        var dense = (long)parameter.Count * sizeof(float);
        var bits = BitOperations.Log2((uint)Math.Max(2, 2 * distinct.Count - 1));
        var coded = ((long)parameter.Count * bits + 7) / 8 + distinct.Count * sizeof(float);
        return coded * 2 <= dense ? dense - coded : 0;
    }
}
