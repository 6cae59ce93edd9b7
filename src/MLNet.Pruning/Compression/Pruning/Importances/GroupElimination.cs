using System.Numerics.Tensors;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The groups of a family, such as neurons, filters or heads, as the inputs of the layers that read them: which of them go so that what those layers give
/// changes least when the others make up for it (Meng et al. 2024, "OSSCAR: One-Shot Structured Pruning in Vision and Language Models with Combinatorial
/// Optimization", whose objective is this one).
/// </summary>
internal sealed class GroupElimination
{
    /// <summary>Groups that are exchanged at a time at first, as a share of those that are gone; halved each time that it does not help.</summary>
    private const int FirstShare = 4;

    private readonly Reader[] _readers;
    private readonly int _groups;
    private readonly CancellationToken _cancellation;

    private GroupElimination(Reader[] readers, int groups, CancellationToken cancellation)
        => (_readers, _groups, _cancellation) = (readers, groups, cancellation);

    /// <summary>Of the layers that are measured; null where none of them reads each group.</summary>
    public static GroupElimination? Of(NetworkStructure structure, GroupFamily family, IReadOnlyDictionary<string, SurgeonLayer[]> layers,
        ImportanceContext context)
    {
        var axes = structure.Coupling.Axes;
        var read = family.Groups.SelectMany(group => group.Entries).Select(entry => entry.Axis).Distinct()
            .Where(axis => axes[axis].Role == AxisRole.Input && layers.ContainsKey(axes[axis].Parameter)).ToArray();
        Reader[] readers = [.. read.SelectMany(axis =>
        {
            var weight = context.Network[axes[axis].Parameter];
            var taps = LayerInputs.Taps(weight);
            int[][] sets = [.. family.Groups.Select(group => group.Entries.Where(entry => entry.Axis == axis)
                .SelectMany(entry => Enumerable.Range(entry.Index * taps, taps)).ToArray())];
            return layers[weight.Name].Select(layer => new Reader(layer, weight.Values.ToArray(),
                Array.ConvertAll(sets, set => Array.ConvertAll(Array.FindAll(set, input => input - layer.Inputs.First is var place && place >= 0
                    && place < layer.Inputs.Count), input => input - layer.Inputs.First))));
        })];
        return readers.Length == 0 || Enumerable.Range(0, family.Groups.Length).Any(group => readers.All(reader => reader.Sets[group].Length == 0))
            ? null : new(readers, family.Groups.Length, context.CancellationToken);
    }

    /// <summary>What each group is worth when they go one after another.</summary>
    public double[] Scores()
    {
        int[] all = [.. Enumerable.Range(0, _groups)];
        return Array.ConvertAll(Elimination.Greedy([.. _readers.Select(reader => reader.Start(all))], _groups, cancellation: _cancellation),
            score => (double)score);
    }

    /// <summary>
    /// The same number of groups, of which some have changed places with others for as long as the error falls: those without which it would be least come
    /// back, as many go that are worth least then.
    /// </summary>
    /// <param name="kept">Whether each group stays.</param>
    /// <returns>Whether each stays; the same where nothing is better.</returns>
    public bool[] Exchange(bool[] kept)
    {
        var gone = kept.Count(stays => !stays);
        if (gone == 0 || gone == _groups)
        {
            return kept;
        }

        var least = Error(kept);
        for (var count = Math.Max(1, gone / FirstShare); count > 0;)
        {
            _cancellation.ThrowIfCancellationRequested();
            var changed = Change(kept, count);
            if (Error(changed) is var error && error < least)
            {
                (kept, least) = (changed, error);
            }
            else
            {
                count /= 2;
            }
        }

        return kept;
    }

    /// <summary>Whether each of the layers is small enough for an exchange, which inverts its moments again and again.</summary>
    public bool MayExchange => _readers.All(reader => reader.Layer.IsExact);

    /// <summary>What the error rises by without each group that stays, and, less than 0, what it falls by with each that does not.</summary>
    public double[] Worth(bool[] kept)
    {
        var (worth, stay) = (new double[_groups], Groups(kept));
        foreach (var reader in _readers)
        {
            reader.AddGains(kept, worth, _cancellation);
            var elimination = reader.Without(stay, _cancellation);
            foreach (var (set, group) in stay.Index())
            {
                worth[group] += elimination.Error(set);
            }
        }

        return [.. worth.Select((error, group) => kept[group] ? error : Math.BitDecrement(-error))];
    }

    /// <summary>The error of all layers without the groups that do not stay.</summary>
    public double Error(bool[] kept) => _readers.Sum(reader => reader.Error(Groups(kept), _cancellation));

    /// <summary>So many groups come back, those that take most of the error with them, and as many go.</summary>
    private bool[] Change(bool[] kept, int count)
    {
        var (changed, gains) = (kept.ToArray(), new double[_groups]);
        foreach (var reader in _readers)
        {
            reader.AddGains(kept, gains, _cancellation);
        }

        foreach (var group in Enumerable.Range(0, _groups).Where(group => !kept[group]).OrderByDescending(group => gains[group]).Take(count))
        {
            changed[group] = true;
        }

        var stay = Groups(changed);
        var found = Elimination.Greedy([.. _readers.Select(reader => reader.Without(stay, _cancellation))], stay.Length, count, cancellation: _cancellation);
        foreach (var (group, _) in stay.Zip(found).OrderBy(one => one.Second).Take(count))
        {
            changed[group] = false;
        }

        return changed;
    }

    private static int[] Groups(bool[] kept) => [.. Enumerable.Range(0, kept.Length).Where(group => kept[group])];

    /// <summary>A layer that reads the groups.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Weights">Its weights.</param>
    /// <param name="Sets">The inputs of each group.</param>
    private sealed record Reader(SurgeonLayer Layer, float[] Weights, int[][] Sets)
    {
        private readonly int[] _others = [.. Enumerable.Range(0, Layer.Inputs.Count).Except(Sets.SelectMany(set => set))];

        /// <summary>An elimination of some groups, of which nothing is gone yet.</summary>
        public Elimination Start(int[] groups)
        {
            int[] inputs = [.. Enumerable.Range(0, Layer.Inputs.Count)];
            return Start(groups, inputs, Raw(inputs));
        }

        /// <summary>An elimination of some groups where the others are gone, and what is there makes up for them.</summary>
        public Elimination Without(int[] groups, CancellationToken cancellation)
        {
            var inputs = Inputs(groups);
            return Start(groups, inputs, Solved(inputs, cancellation));
        }

        /// <summary>Half of d' H d over units, for the change d that making up for what is gone is.</summary>
        public double Error(int[] there, CancellationToken cancellation)
        {
            var inputs = Inputs(there);
            return Solved(inputs, cancellation).Select((row, unit) => Change(unit, inputs, row)).Sum(change =>
            {
                var sum = 0.0;
                for (var i = 0; i < change.Length; i++)
                {
                    sum += change[i] * Product(i, change);
                }

                return sum / 2;
            });
        }

        /// <summary>
        /// By how much the error falls where a group that is gone comes back: half of g' S^-1 g, with the slope g and the moments S that are left.
        /// </summary>
        public void AddGains(bool[] kept, double[] gains, CancellationToken cancellation)
        {
            var inputs = Inputs(Groups(kept));
            var lower = PositiveDefinite.Factor(SurgeonLayer.Part(Layer.Moments, inputs), cancellation);
            double[][] changes = [.. Solved(inputs, cancellation).Select((row, unit) => Change(unit, inputs, row))];
            foreach (var group in Enumerable.Range(0, kept.Length).Where(group => !kept[group] && Sets[group].Length > 0))
            {
                cancellation.ThrowIfCancellationRequested();
                var set = Sets[group];
                var moments = SurgeonLayer.Part(Layer.Moments, set);
                double[][] across = [.. set.Select(i => Array.ConvertAll(inputs, j => Layer.Moments[i][j]))];
                for (var i = 0; i < set.Length; i++)
                {
                    var solved = across[i].ToArray();
                    PositiveDefinite.Solve(lower, solved, cancellation);
                    for (var j = 0; j < set.Length; j++)
                    {
                        moments[i][j] -= TensorPrimitives.Dot<double>(solved, across[j]);
                    }
                }

                var left = PositiveDefinite.Factor(moments, cancellation);
                foreach (var change in changes)
                {
                    var slope = Array.ConvertAll(set, i => Product(i, change));
                    var solved = slope.ToArray();
                    PositiveDefinite.Solve(left, solved, cancellation);
                    gains[group] += TensorPrimitives.Dot<double>(slope, solved) / 2;
                }
            }
        }

        private Elimination Start(int[] groups, int[] inputs, double[][] rows)
        {
            var places = inputs.Index().ToDictionary(input => input.Item, input => input.Index);
            return new(inputs.Length == Layer.Inputs.Count ? Layer.Inverse : Layer.InverseOf(inputs), rows,
                Array.ConvertAll(groups, group => Array.ConvertAll(Sets[group], input => places[input])));
        }

        private int[] Inputs(int[] groups) => [.. groups.SelectMany(group => Sets[group]).Concat(_others).Order()];

        /// <summary>The weights of each unit for some inputs that make up best for the others: w_K + [H_KK]^-1 H_KD w_D.</summary>
        private double[][] Solved(int[] inputs, CancellationToken cancellation)
        {
            int[] gone = [.. Enumerable.Range(0, Layer.Inputs.Count).Except(inputs)];
            var rows = Raw(inputs);
            if (gone.Length == 0)
            {
                return rows;
            }

            var lower = PositiveDefinite.Factor(SurgeonLayer.Part(Layer.Moments, inputs), cancellation);
            for (var unit = 0; unit < rows.Length; unit++)
            {
                var lost = Array.ConvertAll(gone, input => Weight(unit, input));
                var change = Array.ConvertAll(inputs, i => gone.Index().Sum(j => Layer.Moments[i][j.Item] * lost[j.Index]));
                PositiveDefinite.Solve(lower, change, cancellation);
                for (var i = 0; i < change.Length; i++)
                {
                    rows[unit][i] += change[i];
                }
            }

            return rows;
        }

        private double[][] Raw(int[] inputs)
            => [.. Enumerable.Range(0, Layer.Inputs.Units).Select(unit => Array.ConvertAll(inputs, input => Weight(unit, input)))];

        private double[] Change(int unit, int[] inputs, double[] row)
        {
            double[] change = [.. Enumerable.Range(0, Layer.Inputs.Count).Select(input => -Weight(unit, input))];
            for (var i = 0; i < inputs.Length; i++)
            {
                change[inputs[i]] += row[i];
            }

            return change;
        }

        private double Product(int input, double[] vector) => TensorPrimitives.Dot<double>(Layer.Moments[input], vector);

        private double Weight(int unit, int input) => Weights[Layer.Inputs.Place(unit, input)];
    }
}
