using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Which weights are pruned, and which of them are compared with each other.</summary>
public sealed class Scope
{
    private readonly bool _together;
    private readonly ImmutableArray<string> _only;
    private readonly ImmutableArray<string> _except;

    private Scope(bool together, ImmutableArray<string> only, ImmutableArray<string> except)
        => (_together, _only, _except) = (together, only, except);

    /// <summary>All weights of the network against each other ("global" pruning). Biases and normalisation are left alone.</summary>
    public static Scope Network { get; } = new(true, [], []);

    /// <summary>Each layer by itself: the amount holds for every one.</summary>
    public static Scope Layer { get; } = new(false, [], []);

    /// <summary>The named parameters against each other; also those that the other scopes leave alone, such as biases.</summary>
    /// <param name="names">Names of parameters (<c>fc1.weight</c>) or of layers (<c>fc1</c>, its weight).</param>
    public static Scope Parameters(params string[] names) => Network.Only(names);

    /// <summary>The same scope over these layers or parameters alone.</summary>
    /// <param name="names">Names of parameters (<c>fc1.weight</c>) or of layers (<c>fc1</c>, its weight).</param>
    public Scope Only(params string[] names) => names is { Length: > 0 } ? new(_together, [.. names], _except)
        : throw new ArgumentException("Give at least one name.", nameof(names));

    /// <summary>The same scope without these layers or parameters.</summary>
    /// <param name="names">Names of parameters (<c>fc3.weight</c>) or of layers (<c>fc3</c>).</param>
    public Scope Except(params string[] names) => new(_together, _only, [.. _except, .. names]);

    /// <summary>The weights in scope, in groups that are compared.</summary>
    /// <exception cref="ArgumentException">A name does not exist, or nothing in scope can be pruned.</exception>
    internal IReadOnlyList<IReadOnlyList<Parameter>> Pools(Network network, Granularity granularity)
    {
        var excluded = _except.Select(name => Find(network, name)).Select(parameter => parameter.Name).ToHashSet();
        var named = _only.Select(name => Find(network, name)).ToArray();
        if (named.FirstOrDefault(parameter => !granularity.Fits(parameter)) is { } odd)
        {
            throw new ArgumentException($"Parameter {odd} has no pieces of granularity '{granularity}'.");
        }

        var candidates = named.Length > 0 ? named.DistinctBy(parameter => parameter.Name)
            : network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(weight => network[weight]).Where(granularity.Fits);
        Parameter[] chosen = [.. candidates.Where(parameter => !excluded.Contains(parameter.Name))];
        if (chosen.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{granularity}'{(excluded.Count > 0 ? $" outside {string.Join(", ", excluded)}" : "")}: "
                + $"the network has the layers {string.Join(", ", network.Layers.Select(layer => $"{layer.Node.Name} ({layer.Node.Operator})"))}.");
        }

        return _together ? [chosen] : [.. chosen.Select(parameter => new[] { parameter })];
    }

    /// <summary>Whether pieces of all layers are compared.</summary>
    internal bool IsTogether => _together;

    /// <summary>The layers in scope out of those given by the name of the layer and of its weight.</summary>
    /// <exception cref="ArgumentException">A name is none of theirs.</exception>
    internal IReadOnlyList<T> Choose<T>(IReadOnlyList<T> layers, Func<T, (string Layer, string? Parameter)> names)
    {
        bool Is(T layer, string name) => names(layer) is var own && (own.Layer == name || own.Parameter == name || own.Parameter == name + ".weight");
        if (_only.Concat(_except).FirstOrDefault(name => !layers.Any(layer => Is(layer, name))) is { } unknown)
        {
            throw new ArgumentException($"The network has no layer or parameter '{unknown}' with pieces to prune."
                + NearestNames.Suggest(unknown, layers.SelectMany(layer => new[] { names(layer).Layer, names(layer).Parameter }).OfType<string>()));
        }

        return [.. layers.Where(layer => (_only.IsEmpty || _only.Any(name => Is(layer, name))) && !_except.Any(name => Is(layer, name)))];
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
