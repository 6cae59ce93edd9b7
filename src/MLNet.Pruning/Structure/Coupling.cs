using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure;

/// <summary>
/// Walks a graph once and ties every index of every dimension to those that have to go with it, by one rule an operator.
/// Linear in the number of channel indices; looks at no weight and needs no example input.
/// </summary>
internal sealed class Coupling
{
    public delegate StructuredValue[] Rule(Coupling coupling, Node node);

    private static readonly FrozenDictionary<string, Rule> s_rules = ElementwiseCoupling.Rules.Concat(WeightCoupling.Rules).Concat(LayoutCoupling.Rules)
        .Concat(ReductionCoupling.Rules).Concat(RecurrentCoupling.Rules).ToFrozenDictionary();

    private readonly Dictionary<string, StructuredValue> _values;
    private readonly Dictionary<(string Parameter, int Dimension), int> _axes = [];
    private readonly HashSet<(string Name, int Dimension)> _followed = [];
    private readonly List<Axis> _consumed = [];
    private int[] _met = [];
    private int _meeting;
    private readonly List<(string Key, int Choice, int Count, int[] Classes)> _splits = [];

    private readonly IReadOnlySet<string> _positive;
    private readonly IReadOnlyDictionary<string, int> _choices;

    private Coupling(NetworkGraph graph, StructureOptions options, IReadOnlySet<string> positive, IReadOnlyDictionary<string, int> choices)
    {
        (Graph, Options, _positive, _choices) = (graph, options, positive, choices);
        _values = new(graph.Tensors.Count);
        foreach (var input in graph.Inputs)
        {
            _values[input.Name] = Inert(input, $"it is a dimension of the network's input '{input.Name}'");
        }

        foreach (var node in graph.Nodes)
        {
            Couple(node);
        }

        foreach (var output in graph.Outputs)
        {
            Fix(_values[output], $"it is a dimension of the network's output '{output}'");
        }
    }

    /// <summary>
    /// Couples a graph. A reshape that splits a dimension into several has a choice of which of them stays live; where nothing of what it
    /// chose can go, it chooses again: a layer's outputs viewed as a picture go by channel, since a window moves over the rows and columns.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="options">How to read what can be read in two ways.</param>
    /// <param name="positive">Exponents all of whose values are known to be above zero.</param>
    public static Coupling Of(NetworkGraph graph, StructureOptions options, IReadOnlySet<string> positive)
    {
        var choices = new Dictionary<string, int>();
        while (true)
        {
            var coupling = new Coupling(graph, options, positive, choices);
            var again = coupling._splits.Where(split => split.Classes.All(coupling.Classes.IsFixed) && split.Choice + 1 < split.Count).ToArray();
            if (again.Length == 0)
            {
                return coupling;
            }

            foreach (var split in again)
            {
                choices[split.Key] = split.Choice + 1;
            }
        }
    }

    public NetworkGraph Graph { get; }

    public StructureOptions Options { get; }

    /// <summary>The operators whose indices are followed.</summary>
    public static IEnumerable<string> Operators => s_rules.Keys;

    public IndexClasses Classes { get; } = new();

    /// <summary>Dimensions of parameters in the order in which the graph reads them.</summary>
    public List<ParameterAxis> Axes { get; } = [];

    public IReadOnlyDictionary<string, StructuredValue> Values => _values;

    /// <summary>Whether the input is a parameter rather than a tensor.</summary>
    public bool IsParameter(Node node, int input) => node.Input(input) is { } name && Graph.Place(name) is not null;

    /// <summary>Whether all values of an exponent are known to be above zero.</summary>
    public bool IsPositive(string exponent) => _positive.Contains(exponent);

    public TensorInfo Info(string name) => Graph.Find(name)!;

    /// <summary>What a node reads; a parameter's dimensions become live with the given role.</summary>
    public StructuredValue Input(Node node, int input, AxisRole role = AxisRole.Affine, StructureKind kind = StructureKind.Neuron)
    {
        var name = node.Inputs[input];
        if (_values.TryGetValue(name, out var value))
        {
            return value;
        }

        if (Graph.Parameter(name) is { } parameter)
        {
            return new([.. parameter.Shape.Select((size, d) => size == 1 ? Single : Parameter(node, input, d, role, kind))],
                parameter.Trainable && role != AxisRole.RemovedOnly);
        }

        return Inert(Info(name), $"it is a dimension of the constant '{name}'");
    }

    /// <summary>A dimension of a parameter: its classes, made where nothing was tied to it before.</summary>
    public Axis Parameter(Node node, int input, int dimension, AxisRole role, StructureKind kind = StructureKind.Neuron)
    {
        var parameter = Graph.Parameter(node.Inputs[input])!;
        if (parameter.Count == 0)
        {
            // Its other dimensions may be of any size.
            return Axis.Inert($"'{parameter.Name}' has no values");
        }

        _followed.Add((parameter.Name, dimension));
        if (_axes.TryGetValue((parameter.Name, dimension), out var known))
        {
            return new(Axes[known].Classes);
        }

        return new(Add(new(parameter.Name, dimension, Classes.Add(parameter.Shape[dimension]), role, node, kind)).Classes);
    }

    /// <summary>Ties a dimension of a parameter to a dimension of a value, index by index.</summary>
    public Axis Bind(Node node, int input, int dimension, Axis to, AxisRole role, StructureKind kind = StructureKind.Neuron)
    {
        var parameter = Graph.Parameter(node.Inputs[input])!;
        _followed.Add((parameter.Name, dimension));
        if (!_axes.ContainsKey((parameter.Name, dimension)) && to.PerIndex() is { } classes && classes.Length == parameter.Shape[dimension])
        {
            Add(new(parameter.Name, dimension, classes, role, node, kind));
            return to;
        }

        return Tie(to, Parameter(node, input, dimension, role, kind));
    }

    /// <summary>Ties two dimensions index by index; against an inert one the other cannot shrink.</summary>
    public Axis Tie(Axis a, Axis b)
    {
        if (!a.IsLive || !b.IsLive)
        {
            Fix(a, b.Reason);
            Fix(b, a.Reason);
            return a.IsLive ? b : a;
        }

        if (a.SameFactors(b))
        {
            Tie(a.Classes!, b.Classes!);
            return a;
        }

        if (a.PerIndex() is { } left && b.PerIndex() is { } right && left.Length == right.Length)
        {
            Tie(left, right);
            return a.Classes!.Length >= b.Classes!.Length ? a : b;
        }

        const string reason = "dimensions that are merged in different ways meet";
        Fix(a, reason);
        Fix(b, reason);
        return Axis.Inert(reason);
    }

    /// <summary>Classes that are attention heads.</summary>
    public HashSet<int> Heads { get; } = [];

    public void MarkHeads(int[] classes) => Heads.UnionWith(classes);

    public void Fix(Axis axis, string reason)
    {
        foreach (var index in axis.Classes ?? [])
        {
            Classes.Fix(index, reason);
        }
    }

    public void Fix(StructuredValue value, string reason)
    {
        foreach (var axis in value.Axes)
        {
            Fix(axis, reason);
        }
    }

    /// <summary>Reads an axis as outer x length x inner indices of which only the one in the middle may shrink.</summary>
    public Axis Factor(Axis axis, int outer, int length, int inner)
    {
        if (!axis.IsLive)
        {
            return axis;
        }

        if (axis.Outer == outer && axis.Classes!.Length == length && axis.Inner == inner)
        {
            return axis;
        }

        if (axis.PerIndex() is not { } all || all.Length != (long)outer * length * inner)
        {
            Fix(axis, "it is split in a way that does not fit how it was merged");
            return Axis.Inert("it is split in a way that does not fit how it was merged");
        }

        var classes = new int[length];
        for (var i = 0; i < all.Length; i++)
        {
            var l = i / inner % length;
            if (i < (l + 1) * inner)
            {
                classes[l] = all[l * inner];
            }

            Classes.Tie(classes[l], all[i]);
        }

        return new(classes, outer, inner);
    }

    /// <summary>Which of several parts of a split dimension stays live, counted from the one tried first.</summary>
    /// <param name="split">Tells this split from others.</param>
    public int Choice(string split) => _choices.GetValueOrDefault(split);

    /// <summary>Notes what was chosen, so that another part can be tried where none of the classes can go.</summary>
    public void Chose(string split, int count, int[] classes) => _splits.Add((split, Choice(split), count, classes));

    /// <summary>A dimension of values that no parameter holds.</summary>
    public Axis Unbacked(int size) => size is 0 or 1 ? Single : size > 0 && Classes.HasRoom(size) ? new(Classes.Add(size)) : Positions;

    /// <summary>Dimensions of size 1 never shrink.</summary>
    public static Axis Single { get; } = Axis.Inert("it has one index only");

    public static Axis Positions { get; } = Axis.Inert("its indices are positions, rows or steps, not units");

    /// <summary>A value none of whose dimensions can shrink.</summary>
    public static StructuredValue Inert(TensorInfo tensor, string reason)
        => new([.. Enumerable.Repeat(Axis.Inert(reason), tensor.IsKnown ? tensor.Shape.Length : 0)], false);

    /// <summary>Says that the node being coupled takes in all indices of a dimension alike, such as by a sum, and passes none of them on.</summary>
    public void Consume(Axis axis) => _consumed.Add(axis);

    /// <summary>Nothing a node reads or produces can shrink.</summary>
    public StructuredValue[] Opaque(Node node, string reason)
    {
        foreach (var name in node.Inputs.Concat(node.Captured).Where(name => name.Length > 0))
        {
            if (_values.TryGetValue(name, out var value))
            {
                Fix(value, reason);
            }

            if (Graph.Parameter(name) is { } parameter && parameter.Count > 0)
            {
                for (var d = 0; d < parameter.Shape.Length; d++)
                {
                    FixParameter(node, parameter, d, reason);
                }
            }
        }

        return [.. node.Outputs.Select(output => output.Length == 0 ? new StructuredValue([], false) : Inert(Info(output), reason))];
    }

    private void FixParameter(Node node, Parameter parameter, int dimension, string reason)
    {
        if (parameter.Count == 0)
        {
            return;
        }

        if (_axes.TryGetValue((parameter.Name, dimension), out var known))
        {
            Fix(new Axis(Axes[known].Classes), reason);
        }
        else
        {
            Add(new(parameter.Name, dimension, Classes.AddFixed(parameter.Shape[dimension], reason), AxisRole.RemovedOnly, node, StructureKind.Neuron));
        }
    }

    private ParameterAxis Add(ParameterAxis axis)
    {
        _axes[(axis.Parameter, axis.Dimension)] = Axes.Count;
        Axes.Add(axis);
        return axis;
    }

    private void Tie(int[] a, int[] b)
    {
        if (ReferenceEquals(a, b))
        {
            return;
        }

        for (var i = 0; i < a.Length; i++)
        {
            Classes.Tie(a[i], b[i]);
        }
    }

    private void Couple(Node node)
    {
        var known = node.Domain.Length == 0 && node.Captured.Length == 0 && s_rules.ContainsKey(node.Operator)
            && node.Inputs.All(name => name.Length == 0 || Info(name).IsKnown) && node.Outputs.All(name => name.Length == 0 || Info(name).IsKnown);
        _followed.Clear();
        _consumed.Clear();
        var grouped = CarriedShapes.IsGroupedQueries(node);
        var values = known ? s_rules[node.Operator](this, node) : grouped ? GroupedQueryCoupling.Couple(this, node)
            : Opaque(node, $"node '{node.Name}' reads it, whose operator {node.Operator} is not analysed");
        if (known || grouped)
        {
            FixWhatEnds(node, values);
        }

        for (var i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i].Length > 0)
            {
                _values[node.Outputs[i]] = values[Math.Min(i, values.Length - 1)];
            }
        }
    }

    /// <summary>
    /// Fixes the dimensions that end at a node: those whose indices it neither passes on, nor reads by those of a weight, nor consumes alike.
    /// So a rule that forgets a dimension costs a group, never a wrong result.
    /// </summary>
    private void FixWhatEnds(Node node, StructuredValue[] values)
    {
        var reason = $"node '{node.Name}' ({node.Operator}) does not pass it on index by index";
        IEnumerable<int[]> passed = values.SelectMany(output => output.Axes).Concat(_consumed).Select(axis => axis.Classes).OfType<int[]>()
            .Concat(_followed.Select(dimension => Axes[_axes[dimension]].Classes));
        foreach (var name in node.Inputs.Where(name => name.Length > 0).Distinct())
        {
            if (Graph.Parameter(name) is { } parameter)
            {
                for (var d = 0; d < parameter.Shape.Length; d++)
                {
                    if (parameter.Shape[d] > 1 && !_followed.Contains((name, d)))
                    {
                        FixParameter(node, parameter, d, reason);
                    }
                }
            }
            else if (_values.TryGetValue(name, out var value))
            {
                foreach (var axis in value.Axes)
                {
                    if (axis.Classes is { } classes && !passed.Any(other => ReferenceEquals(other, classes)) && !Meets(classes, passed))
                    {
                        Fix(axis, reason);
                    }
                }
            }
        }
    }

    /// <summary>Whether some of the indices are tied to some of the others.</summary>
    private bool Meets(int[] classes, IEnumerable<int[]> others)
    {
        if (_met.Length < Classes.Count)
        {
            Array.Resize(ref _met, 2 * Classes.Count);
        }

        _meeting++;
        foreach (var index in classes)
        {
            _met[Classes.Find(index)] = _meeting;
        }

        foreach (var other in others)
        {
            foreach (var index in other)
            {
                if (_met[Classes.Find(index)] == _meeting)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
