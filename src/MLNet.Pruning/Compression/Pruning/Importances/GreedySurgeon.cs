using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// What the weights of a layer are worth when they are taken away one after another, each time that without which the error rises least; see
/// <see cref="Elimination"/>. The scores of a unit rise in the order in which they go, so that those below any threshold are what went first.
/// </summary>
internal sealed class GreedySurgeon
{
    private readonly SurgeonLayer _layer;
    private readonly LayerInputs _inputs;
    private readonly float[] _weights;
    private readonly WeightMask? _mask;
    private readonly int _taps;
    private readonly CancellationToken _cancellation;

    /// <param name="layer">The layer.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="mask">What was dropped before.</param>
    /// <param name="cancellation">Ends it.</param>
    public GreedySurgeon(SurgeonLayer layer, Parameter weight, WeightMask? mask, CancellationToken cancellation)
    {
        (_layer, _inputs, _mask, _cancellation, _weights) = (layer, layer.Inputs, mask, cancellation, weight.Values.ToArray());
        _taps = LayerInputs.Taps(weight);
    }

    /// <summary>Scores of single weights, in the order of storage.</summary>
    /// <param name="pattern">How many of how many consecutive inputs stay at least; null for any number.</param>
    /// <param name="scores">Receives those of these inputs.</param>
    public void Weights((int Kept, int Size)? pattern, float[] scores)
    {
        var step = pattern is { } one ? one.Size * _taps : 1;
        foreach (var (inputs, inverse) in Parts([.. Enumerable.Range(0, (_inputs.Count + step - 1) / step)
            .Select(part => Enumerable.Range(part * step, Math.Min(step, _inputs.Count - part * step)).ToArray())]))
        {
            PartLoop.Run(_inputs.Units, unit =>
            {
                int[] kept = [.. Enumerable.Range(0, inputs.Length).Where(i => IsKept(unit, inputs[i]))];
                var elimination = new Elimination(inverse, [Row(unit, inputs)], Array.ConvertAll(kept, i => new[] { i }));
                foreach (var gone in Enumerable.Range(0, inputs.Length).Except(kept))
                {
                    elimination.RemoveInput(gone);
                }

                // How many more each group of a pattern may lose.
                (int, int) Group(int i) => (inputs[kept[i]] / _taps / pattern!.Value.Size, inputs[kept[i]] % _taps);
                var room = pattern is null ? null : Enumerable.Range(0, kept.Length).GroupBy(Group)
                    .ToDictionary(group => group.Key, group => group.Count() - pattern.Value.Kept);
                var found = Elimination.Greedy([elimination], kept.Length, mayGo: room is null ? null : i => room[Group(i)] > 0,
                    gone: room is null ? null : i => room[Group(i)]--, cancellation: _cancellation);
                for (var i = 0; i < kept.Length; i++)
                {
                    scores[_inputs.Place(unit, inputs[kept[i]])] = found[i];
                }
            }, _cancellation);
        }
    }

    /// <summary>Scores of structures of several weights.</summary>
    /// <param name="layout">The structures.</param>
    /// <param name="scores">To those of the structures, what is between these inputs is added.</param>
    public void Structures(StructureLayout layout, double[] scores)
    {
        var members = new (SortedSet<int> Units, SortedSet<int> Inputs)[layout.Count];
        for (var structure = 0; structure < members.Length; structure++)
        {
            members[structure] = ([], []);
        }

        for (var unit = 0; unit < _inputs.Units; unit++)
        {
            for (var input = 0; input < _inputs.Count; input++)
            {
                var (units, inputs) = members[layout.Of(_inputs.Place(unit, input))];
                units.Add(unit);
                inputs.Add(input);
            }
        }

        // Structures of the same units compete for what these have left.
        var alike = Enumerable.Range(0, layout.Count).Where(structure => members[structure].Inputs.Count > 0)
            .GroupBy(structure => string.Join(',', members[structure].Units)).Select(group => group.ToArray()).ToArray();
        var sets = Array.ConvertAll(members, member => member.Inputs.ToArray());
        PartLoop.Run(alike.Length, part =>
        {
            var (structures, units) = (alike[part], members[alike[part][0]].Units);
            if (sets[structures[0]].Length == _inputs.Count)
            {
                // Whole units: nothing is left to make up for them.
                scores[structures[0]] += units.Sum(unit => Whole(Row(unit, sets[structures[0]])));
                return;
            }

            foreach (var (inputs, inverse) in Parts(Array.ConvertAll(structures, structure => sets[structure])))
            {
                var places = inputs.Index().ToDictionary(input => input.Item, input => input.Index);
                int[] own = [.. structures.Where(structure => places.ContainsKey(sets[structure][0]))];
                var elimination = new Elimination(inverse, units.Select(unit => Row(unit, inputs)),
                    Array.ConvertAll(own, structure => Array.ConvertAll(sets[structure], input => places[input])));
                foreach (var (place, _) in inputs.Index().Where(input => !units.Any(unit => IsKept(unit, input.Item))))
                {
                    elimination.RemoveInput(place);
                }

                foreach (var (structure, score) in own.Zip(Elimination.Greedy([elimination], own.Length, cancellation: _cancellation)))
                {
                    scores[structure] += score;
                }
            }
        }, _cancellation);
    }

    /// <summary>All inputs with their inverse, or, where they are too many, some of the sets at a time with theirs.</summary>
    private IEnumerable<(int[] Inputs, double[][] Inverse)> Parts(int[][] sets)
    {
        if (_layer.IsExact)
        {
            yield return ([.. Enumerable.Range(0, _inputs.Count)], _layer.Inverse);
            yield break;
        }

        var size = Math.Max(1, OptimalBrainSurgeonImportance.ExactInputs / sets.Max(set => set.Length));
        foreach (var some in sets.Chunk(size))
        {
            int[] inputs = [.. some.SelectMany(set => set)];
            yield return (inputs, _layer.InverseOf(inputs));
        }
    }

    private bool IsKept(int unit, int input) => _mask?[_inputs.Place(unit, input)] != false;

    private double[] Row(int unit, int[] inputs) => Array.ConvertAll(inputs, input => (double)_weights[_inputs.Place(unit, input)]);

    private double Whole(double[] row)
    {
        var sum = 0.0;
        for (var i = 0; i < row.Length; i++)
        {
            for (var j = 0; j < row.Length; j++)
            {
                sum += row[i] * _layer.Moments[i][j] * row[j];
            }
        }

        return sum / 2;
    }
}
