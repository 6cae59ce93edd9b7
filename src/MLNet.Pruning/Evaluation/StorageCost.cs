using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>What a network's weights take in bytes by how they are encoded; prints as a table.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class StorageCost : IHtmlDisplay
{
    internal StorageCost(IEnumerable<Parameter> parameters)
    {
        Tensors = [.. parameters.Select(parameter => new TensorStorage(parameter.Name, TensorEncodings.Of(parameter)))];
        // What some tensor cannot be encoded as, all together cannot.
        Total = new("total", Enum.GetValues<WeightEncoding>().Where(encoding => Tensors.All(tensor => tensor.Bytes.ContainsKey(encoding)))
            .ToImmutableSortedDictionary(encoding => encoding, encoding => Tensors.Sum(tensor => tensor.Bytes[encoding])));
    }

    /// <summary>The tensors, in the order of the network's parameters.</summary>
    public ImmutableArray<TensorStorage> Tensors { get; }

    /// <summary>All in one encoding.</summary>
    public TensorStorage Total { get; }

    /// <inheritdoc/>
    public override string ToString() => Table().ToString();

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [Table()];

    private ReportTable Table() => new(["bytes as", .. Enum.GetNames<WeightEncoding>(), "smallest"], [.. Tensors.Select(Row)], Row(Total));

    private static string[] Row(TensorStorage tensor) => [tensor.Name, .. Enum.GetValues<WeightEncoding>().Select(encoding
        => tensor.Bytes.TryGetValue(encoding, out var bytes) ? bytes.ToString("N0", CultureInfo.InvariantCulture) : ""), tensor.Smallest.ToString()];
}

/// <summary>What a tensor takes.</summary>
public sealed record TensorStorage
{
    internal TensorStorage(string name, ImmutableSortedDictionary<WeightEncoding, long> bytes) => (Name, Bytes) = (name, bytes);

    /// <summary>Name of the parameter, or "total".</summary>
    public string Name { get; }

    /// <summary>Bytes by encoding; without those that a tensor of more than 65,536 different values has none of.</summary>
    public ImmutableSortedDictionary<WeightEncoding, long> Bytes { get; }

    /// <summary>The one that takes least.</summary>
    public WeightEncoding Smallest => Bytes.MinBy(pair => pair.Value).Key;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}: {Smallest}, {Bytes[Smallest]:N0} bytes");
}
