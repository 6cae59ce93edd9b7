using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Regularizers;

/// <summary>Euclidean norms of structures, each times the square root of its size.</summary>
internal sealed class GroupPenalty : Regularization
{
    /// <summary>Keeps the gradient of a norm finite where all of a structure is zero; it is zero there.</summary>
    private const double Smallest = 1e-12;

    private readonly double _strength;
    private readonly Granularity _granularity;

    public GroupPenalty(double strength, Granularity granularity)
    {
        _strength = Strength(strength, nameof(strength));
        _granularity = granularity is { IsSingle: false, IsDepth: false, Pattern: null } ? granularity
            : throw new ArgumentException($"A group lasso works on structures of several weights within layers, but not on granularity '{granularity}'.",
                nameof(granularity));
    }

    public override string ToString() => Notation.Call(nameof(GroupLasso), _strength, _granularity);

    internal override Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var norms = _granularity.Structure is { } options ? [.. Families(network, parameters, options)] : Structures(network, parameters).ToArray();
        if (norms.Length == 0)
        {
            throw new ArgumentException($"The network has no structures of granularity '{_granularity}' to regularise.");
        }

        Scalar one = 1.0, factor = _strength;
        return () => Sum(norms.Select(norm => norm()), one).mul(factor);
    }

    /// <summary>The structures of a weight: its values put in their order, a row each.</summary>
    private IEnumerable<Func<Tensor>> Structures(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        Scalar smallest = Smallest, one = 1.0;
        var members = network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(name => PoolMember.Of(network, name, null))
            .Where(member => _granularity.Fits(member.Parameter, member.Axes)).ToArray();
        _granularity.Check(members);
        foreach (var (parameter, axes, _, _) in members)
        {
            var layout = _granularity.Structures(parameter, axes);
            var runs = layout.Runs.ToArray();
            var weight = parameters[parameter.Name];
            var order = tensor(runs.OrderBy(run => run.Structure).SelectMany(run => Enumerable.Range(run.Start, run.Length).Select(i => (long)i)).ToArray(),
                device: weight.device);
            var size = parameter.Count / layout.Count;
            Scalar root = Math.Sqrt(size);
            yield return () => (weight * weight).view(-1).index_select(0, order).view(layout.Count, size).sum([1L], keepdim: false).add(smallest, one).sqrt()
                .sum().mul(root);
        }
    }

    /// <summary>The groups of a layer: squares of the slices that make and read them, picked group by group and summed.</summary>
    private IEnumerable<Func<Tensor>> Families(Network network, IReadOnlyDictionary<string, Tensor> parameters, StructureOptions options)
    {
        Scalar smallest = Smallest, one = 1.0;
        var structure = network.Groups(options);
        foreach (var family in structure.Families.Where(family => _granularity.Kinds.Contains(family.Kind)))
        {
            var axes = family.Groups[0].Entries.Select(entry => entry.Axis).Distinct()
                .Where(axis => structure.Coupling.Axes[axis].Role is AxisRole.Output or AxisRole.Input
                    && network[structure.Coupling.Axes[axis].Parameter].Trainable)
                .Select(number => Member(network, parameters, structure, family, number)).ToArray();
            Scalar root = Math.Sqrt(axes.Sum(axis => axis.Values));
            yield return () => axes.Select(axis => axis.Squares()).Aggregate((sum, squares) => sum.add(squares, one)).add(smallest, one).sqrt().sum().mul(root);
        }
    }

    private static (Func<Tensor> Squares, double Values) Member(Network network, IReadOnlyDictionary<string, Tensor> parameters, NetworkStructure structure,
        GroupFamily family, int number)
    {
        var axis = structure.Coupling.Axes[number];
        var parameter = network[axis.Parameter];
        var others = Others(parameter.Shape.Length, axis.Dimension);
        var indices = family.Groups.Select(group => group.Entries.Where(entry => entry.Axis == number).Select(entry => (long)entry.Index).ToArray()).ToArray();
        var each = indices[0].Length;
        if (indices.Any(own => own.Length != each))
        {
            throw new ArgumentException($"The groups of layer '{family.Axis.Node.Name}' hold different numbers of slices of '{axis.Parameter}', which a group "
                + "lasso cannot sum.");
        }

        var weight = parameters[axis.Parameter];
        var picked = tensor(indices.SelectMany(own => own).ToArray(), device: weight.device);
        return (() => (weight * weight).sum(others, keepdim: false).index_select(0, picked).view(indices.Length, each).sum([1L], keepdim: false),
            (double)parameter.Count / parameter.Shape[axis.Dimension] * each);
    }

    private static long[] Others(int rank, int dimension) => [.. Enumerable.Range(0, rank).Where(other => other != dimension).Select(other => (long)other)];
}
