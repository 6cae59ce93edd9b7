using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>Which weights are pruned, and which of them are compared with each other.</summary>
public sealed class Scope
{
    private readonly ImmutableArray<string> _only;
    private readonly ImmutableArray<string> _except;
    private readonly Func<string, bool> _within;

    private Scope(Distribution distribution, ImmutableArray<string> only, ImmutableArray<string> except, Func<string, bool> within)
        => (Distribution, _only, _except, _within) = (distribution, only, except, within);

    /// <summary>All weights of the network against each other ("global" pruning). Biases and normalisation are left alone.</summary>
    public static Scope Network { get; } = Distributed(Distribution.Global);

    /// <summary>Each layer by itself: the amount holds for every one.</summary>
    public static Scope Layer { get; } = Distributed(Distribution.Uniform);

    /// <summary>How the amount spreads over the layers.</summary>
    internal Distribution Distribution { get; }

    /// <summary>All weights of the network, the amount spread over the layers in some other way.</summary>
    /// <param name="distribution">
    /// The way; of <see cref="Distribution.Global"/> the scope is <see cref="Network"/>, of <see cref="Distribution.Uniform"/> <see cref="Layer"/>.
    /// </param>
    public static Scope Distributed(Distribution distribution)
    {
        ArgumentNullException.ThrowIfNull(distribution);
        return new(distribution, [], [], _ => true);
    }

    /// <summary>The named parameters against each other; also those that the other scopes leave alone, such as biases.</summary>
    /// <param name="names">Names of parameters (<c>fc1.weight</c>) or of layers (<c>fc1</c>, its weight).</param>
    public static Scope Parameters(params string[] names) => Network.Only(names);

    /// <summary>The same scope over these layers or parameters alone.</summary>
    /// <param name="names">Names of parameters (<c>fc1.weight</c>) or of layers (<c>fc1</c>, its weight).</param>
    public Scope Only(params string[] names)
    {
        Check(names);
        return names.Length > 0 ? new(Distribution, [.. names], _except, _within) : throw new ArgumentException("Give at least one name.", nameof(names));
    }

    /// <summary>The same scope without these layers or parameters.</summary>
    /// <param name="names">Names of parameters (<c>fc3.weight</c>) or of layers (<c>fc3</c>).</param>
    public Scope Except(params string[] names)
    {
        Check(names);
        return new(Distribution, _only, [.. _except, .. names], _within);
    }

    /// <inheritdoc/>
    public override string ToString()
        => (Distribution == Distribution.Global ? nameof(Network) : Distribution == Distribution.Uniform ? nameof(Layer)
            : Notation.Call(nameof(Distributed), Distribution))
        + (_only.Length > 0 ? "." + Notation.Call(nameof(Only), [.. _only]) : "")
        + (_except.Length > 0 ? "." + Notation.Call(nameof(Except), [.. _except]) : "");

    /// <summary>The same scope over the layers alone for which that is true.</summary>
    internal Scope Within(Func<string, bool> layers) => new(Distribution, _only, _except, layer => _within(layer) && layers(layer));

    /// <summary>The weights in scope, at least one, all of which the granularity divides.</summary>
    /// <exception cref="ArgumentException">A name does not exist, or nothing in scope can be pruned.</exception>
    internal IReadOnlyList<PoolMember> Chosen(PrunedNetwork pruned, Granularity granularity)
    {
        var chosen = Members(pruned, granularity);
        granularity.Check(chosen);
        return chosen.Count > 0 ? chosen : throw new ArgumentException("No layer can be pruned with granularity "
            + $"'{granularity}'{(_except.Length > 0 ? $" outside {string.Join(", ", _except)}" : "")}: the network has the layers "
            + $"{string.Join(", ", pruned.Weights.Layers.Select(layer => $"{layer.Node.Name} ({layer.Node.Operator})"))}.");
    }

    /// <summary>The weights in scope that have what is pruned.</summary>
    /// <exception cref="ArgumentException">A name does not exist, or has no such structures.</exception>
    internal IReadOnlyList<PoolMember> Members(PrunedNetwork pruned, Granularity granularity)
    {
        var network = pruned.Weights;
        var excluded = _except.Select(name => Find(network, name)).Select(parameter => parameter.Name).ToHashSet();
        var named = _only.Select(name => pruned.Member(Find(network, name).Name)).Where(member => _within(member.Layer)).ToArray();
        if (named.FirstOrDefault(member => !granularity.Fits(member.Parameter, member.Axes)) is { } odd)
        {
            throw new ArgumentException($"Parameter {odd.Parameter} has no structures of granularity '{granularity}'.");
        }

        var candidates = _only.Length > 0 ? named.DistinctBy(member => member.Parameter.Name)
            : network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(pruned.Member)
                .Where(member => granularity.Fits(member.Parameter, member.Axes));
        return [.. candidates.Where(member => !excluded.Contains(member.Parameter.Name) && _within(member.Layer))];
    }

    /// <summary>Whether weights or structures of all layers are compared.</summary>
    internal bool IsTogether => Distribution.IsTogether;

    /// <summary>The layers in scope out of those given by the name of the layer and of its weight.</summary>
    /// <exception cref="ArgumentException">A name is none of theirs.</exception>
    internal IReadOnlyList<T> Choose<T>(IReadOnlyList<T> layers, Func<T, (string Layer, string? Parameter)> names)
    {
        bool Is(T layer, string name) => names(layer) is var own && (own.Layer == name || own.Parameter == name || own.Parameter == name + ".weight");
        if (_only.Concat(_except).FirstOrDefault(name => !layers.Any(layer => Is(layer, name))) is { } unknown)
        {
            throw new ArgumentException($"The network has no layer or parameter '{unknown}' with weights or structures to prune."
                + NearestNames.Suggest(unknown, layers.SelectMany(layer => new[] { names(layer).Layer, names(layer).Parameter }).OfType<string>()));
        }

        return [.. layers.Where(layer => (_only.IsEmpty || _only.Any(name => Is(layer, name))) && !_except.Any(name => Is(layer, name))
            && _within(names(layer).Layer))];
    }

    private static void Check(string[] names)
    {
        if (Setting.Complete(names).Contains(""))
        {
            throw new ArgumentException("A name is empty.", nameof(names));
        }
    }

    private static Parameter Find(Network network, string name)
    {
        if (network.TryGetParameter(name, out var parameter))
        {
            return parameter.Trainable ? parameter : throw new ArgumentException($"Parameter '{name}' is a running statistic, which pruning would falsify.");
        }

        var layers = network.Layers.Where(layer => layer.Weights.Length > 0).ToArray();
        var weight = layers.FirstOrDefault(layer => layer.Node.Name == name || layer.Weights[0] == name + ".weight")?.Weights[0];
        return weight is not null ? network[weight]
            : throw new ArgumentException($"The network has no layer or parameter '{name}' to prune."
                + NearestNames.Suggest(name, layers.Select(layer => layer.Node.Name).Concat(network.Parameters.Where(p => p.Trainable).Select(p => p.Name))));
    }
}
