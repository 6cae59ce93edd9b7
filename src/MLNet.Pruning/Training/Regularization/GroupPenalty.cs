using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>Euclidean norms of pieces, each times the square root of its size.</summary>
internal sealed class GroupPenalty : Regularization
{
    /// <summary>Keeps the gradient of a norm finite where all of a piece is zero; it is zero there.</summary>
    private const double Smallest = 1e-12;

    private readonly double _strength;
    private readonly Granularity _granularity;

    public GroupPenalty(double strength, Granularity granularity)
    {
        _strength = Strength(strength, nameof(strength));
        _granularity = !granularity.IsSingle && !granularity.IsDepth ? granularity
            : throw new ArgumentException($"A group lasso works on pieces of several weights within layers, but not on granularity '{granularity}'.", nameof(granularity));
    }

    /// <summary>The granularity that prints as that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Granularity Named(string name)
        => new[] { Granularity.Row, Granularity.Column, Granularity.Neuron, Granularity.Filter, Granularity.ChannelGroup, Granularity.Head, Granularity.HiddenUnit, Granularity.Unit, Granularity.UnitWithinHeads }
            .FirstOrDefault(granularity => granularity.ToString() == name)
            ?? (name.StartsWith("slice ", StringComparison.Ordinal) && int.TryParse(name["slice ".Length..], CultureInfo.InvariantCulture, out var dimension) ? Granularity.Slice(dimension)
                : throw new ArgumentException($"There is no granularity '{name}' of a group lasso.", nameof(name)));

    internal override IEnumerable<(string, double[])> Terms => [($"{nameof(GroupLasso)}: {_granularity}", [_strength])];

    internal override Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var norms = _granularity.Structure is { } options ? [.. Families(network, parameters, options)] : Slices(network, parameters).ToArray();
        if (norms.Length == 0)
        {
            throw new ArgumentException($"The network has no pieces of granularity '{_granularity}' to regularise.");
        }

        Scalar one = 1.0, factor = _strength;
        return () => Sum(norms.Select(norm => norm()), one).mul(factor);
    }

    private IEnumerable<Func<Tensor>> Slices(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        Scalar smallest = Smallest, one = 1.0;
        foreach (var parameter in network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(name => network[name]).Where(_granularity.Fits))
        {
            var dimension = _granularity.Dimension(parameter);
            var others = Others(parameter.Shape.Length, dimension);
            var weight = parameters[parameter.Name];
            Scalar root = Math.Sqrt((double)parameter.Count / parameter.Shape[dimension]);
            yield return () => (weight * weight).sum(others, keepdim: false).add(smallest, one).sqrt().sum().mul(root);
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
                .Where(axis => structure.Coupling.Axes[axis].Role is AxisRole.Output or AxisRole.Input && network[structure.Coupling.Axes[axis].Parameter].Trainable)
                .Select(number => Member(network, parameters, structure, family, number)).ToArray();
            Scalar root = Math.Sqrt(axes.Sum(axis => axis.Values));
            yield return () => axes.Select(axis => axis.Squares()).Aggregate((sum, squares) => sum.add(squares, one)).add(smallest, one).sqrt().sum().mul(root);
        }
    }

    private static (Func<Tensor> Squares, double Values) Member(Network network, IReadOnlyDictionary<string, Tensor> parameters, NetworkStructure structure, GroupFamily family, int number)
    {
        var axis = structure.Coupling.Axes[number];
        var parameter = network[axis.Parameter];
        var others = Others(parameter.Shape.Length, axis.Dimension);
        var indices = family.Groups.Select(group => group.Entries.Where(entry => entry.Axis == number).Select(entry => (long)entry.Index).ToArray()).ToArray();
        var each = indices[0].Length;
        if (indices.Any(own => own.Length != each))
        {
            throw new ArgumentException($"The groups of layer '{family.Axis.Node.Name}' hold different numbers of slices of '{axis.Parameter}', which a group lasso cannot sum.");
        }

        var weight = parameters[axis.Parameter];
        var picked = tensor(indices.SelectMany(own => own).ToArray(), device: weight.device);
        return (() => (weight * weight).sum(others, keepdim: false).index_select(0, picked).view(indices.Length, each).sum([1L], keepdim: false),
            (double)parameter.Count / parameter.Shape[axis.Dimension] * each);
    }

    private static long[] Others(int rank, int dimension) => [.. Enumerable.Range(0, rank).Where(other => other != dimension).Select(other => (long)other)];
}
