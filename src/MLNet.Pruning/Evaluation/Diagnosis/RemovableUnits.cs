using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>Units whose removal changes nothing: what they make is zero for every row, or multiplied by zeros alone.</summary>
internal sealed class RemovableUnits
{
    private readonly Network _network;
    private readonly Liveness _liveness;
    private readonly NetworkStructure _structure;
    private readonly Dictionary<(string Parameter, int Dimension), bool[]> _zeros = [];

    private RemovableUnits(Network network, CancellationToken cancellation)
        => (_network, _liveness, _structure) = (network, new(network, cancellation), network.Groups());

    /// <summary>All of them but one of a layer that would have nothing left.</summary>
    public static IReadOnlyList<PruningGroup> Find(Network network, CancellationToken cancellation)
    {
        var units = new RemovableUnits(network, cancellation);
        PruningGroup[] found = [.. units._structure.Families.SelectMany(family => family.Groups.Where(units.ChangesNothing).Take(family.Groups.Length - 1))];
        // What several layers share may leave nothing where each by itself keeps something.
        return found.Length == 0 || new StructureRemoval(units._structure, found).Emptied().Any() ? [] : found;
    }

    /// <summary>What they cost: a run with them against one without, timed in turns.</summary>
    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        if (network.Removable.Count == 0)
        {
            yield break;
        }

        var (batch, threads) = (network.Options.BatchSize, network.Threads);
        var gain = 1 - TurnTimes.Of([(network.Network, batch, threads), (network.Rest, batch, threads)], network.Options.CancellationToken).OfFirst(1);
        if (gain < network.Options.MinimumShare)
        {
            yield break;
        }

        var layers = network.Removable.GroupBy(group => group.Layer).ToArray();
        var share = (double)network.Removable.Count / network.Network.Groups().Count;
        yield return new(FindingKind.RemovableUnits,
            layers.Select(groups => new FindingPlace(groups.Key, gain * groups.Count() / network.Removable.Count)), gain,
            string.Create(CultureInfo.InvariantCulture, $"{network.Removable.Count:N0} of {network.Network.Groups().Count:N0} units are zero, or read by zeros "
                + $"alone. They are computed all the same; without them a run takes {1 - gain:P0} of the time and gives the same outputs."),
            "network.Remove(report.RemovableUnits), or ml.Transforms.Prune with Granularity.Unit, which drops zeros first.",
            string.Create(CultureInfo.InvariantCulture,
                $"prune model.onnx -o small.onnx --granularity unit --alignment 1 --sparsity {Math.Floor(share * 1e4) / 1e4}"));
    }

    private bool ChangesNothing(PruningGroup unit)
    {
        var readers = unit.Entries.Select(entry => (Axis: _structure.Coupling.Axes[entry.Axis], entry.Index)).Where(entry => entry.Axis.Role == AxisRole.Input)
            .ToArray();
        return readers.Length > 0 && readers.All(reader => Zeros(reader.Axis)[reader.Index] || ReadsZero(reader.Axis, reader.Index));
    }

    /// <summary>Whether what a column of a weight multiplies is zero.</summary>
    private bool ReadsZero(ParameterAxis axis, int index)
    {
        var layer = _network.Layers.Single(layer => layer.Node.Name == axis.Node.Name);
        return _network.Consumers(axis.Parameter).Count() == 1 && LayerProduct.Of(_network, layer) is { } product && product.Weight.Name == axis.Parameter
            && product.Inputs == product.Weight.Shape[product.Axes.Input] && _liveness.IsZero(product.Data, product.Reads, index);
    }

    /// <summary>Of each index of a dimension of a parameter whether all values are zero.</summary>
    private bool[] Zeros(ParameterAxis axis)
    {
        if (!_zeros.TryGetValue((axis.Parameter, axis.Dimension), out var zeros))
        {
            var parameter = _network[axis.Parameter];
            _zeros[(axis.Parameter, axis.Dimension)] = zeros = [.. Enumerable.Repeat(true, parameter.Shape[axis.Dimension])];
            foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, axis.Dimension))
            {
                zeros[slice] &= !parameter.Values.Slice(start, length).ContainsAnyExcept(0f);
            }
        }

        return zeros;
    }
}
