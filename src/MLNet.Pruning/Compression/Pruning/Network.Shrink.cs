using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// A student of the same kind with the same inputs and outputs: this network, its teacher, without the least important blocks and units. What
    /// stays has the teacher's values; train it, best with <see cref="Distillation"/>.
    /// </summary>
    /// <param name="width">
    /// Share of the units that each layer keeps, in (0, 1]: neurons, channels, heads and hidden units, those of the largest Euclidean norm over all
    /// weights that make or read them (Fang et al. 2023, "DepGraph"). The number is rounded to the nearest, halves down, and
    /// is at least 1. Layers that cannot shrink, see <see cref="Groups"/>, keep all; layers that are added up shrink together.
    /// </param>
    /// <param name="depth">
    /// Share of the residual blocks that stay, in (0, 1], those whose weights have the largest mean absolute value; of a network without such
    /// blocks, of the layers that give the shape they read, but for the last layer. Only sums that add a block's input unchanged count, and
    /// sums within others by themselves. The number is rounded as that of units, and may be 0. Blocks go before units.
    /// </param>
    /// <returns>The student; the teacher itself where both shares are 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A share is out of range.</exception>
    /// <exception cref="ArgumentException">A share is below 1 and nothing of the teacher can go.</exception>
    /// <exception cref="InvalidOperationException">The teacher has no values.</exception>
    /// <example><c>teacher.Shrink(width: 0.25, depth: 0.5)</c> of a network 784-1200-1200-10 is 784-300-10.</example>
    public Network Shrink(double width = 1, double depth = 1)
    {
        Share(width, nameof(width));
        Share(depth, nameof(depth));
        if (Parameters.FirstOrDefault(parameter => !parameter.IsInitialized) is { } empty)
        {
            throw new InvalidOperationException($"The teacher's parameter {empty} has no values: train it first, or draw them with Initialize.");
        }

        var student = depth < 1 ? Shallower(this, depth) : this;
        return width < 1 ? Narrower(student, width) : student;
    }

    private static Network Shallower(Network network, double depth)
    {
        var isResidual = BlockRemoval.Find(network, layers: false).Count > 0;
        // The last layer is no copy of the one before, even where it has as many units.
        var last = network.Layers.LastOrDefault(layer => layer.Weights.Length > 0)?.Node.Name;
        var count = BlockRemoval.Find(network, layers: !isResidual).Count(block => isResidual || block.Name != last);
        if (count == 0)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"The teacher cannot keep {depth} of its depth: it has no block that is added to its own input, and no layer but the last gives the shape it "
                    + $"reads. Its layers are ")
                + string.Join(", ", network.Layers.Where(layer => layer.Weights.Length > 0).Select(layer => $"{layer.Node.Name} ({layer.Node.Operator})"))
                + ".", nameof(depth));
        }

        network = Without(network, new MagnitudeScores(1, "Importance.L1"), new()
        {
            Granularity = isResidual ? Granularity.Block : Granularity.Layer,
            Scope = Scope.Network.Within(name => isResidual || name != last),
        }, pool => pool.Total - pool.Gone - Kept(depth, count));
        return network.Parameters.Any(parameter => parameter.Trainable) ? network
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Of {depth} of the teacher's depth nothing to train would be left: all its weights are in blocks that can go."), nameof(depth));
    }

    private static Network Narrower(Network network, double width)
    {
        var structure = network.Groups();
        if (structure.Count == 0)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The teacher cannot keep {width} of its width: no layer can shrink.")
                + string.Concat(structure.Reasons().Select(reason => Environment.NewLine + reason)), nameof(width));
        }

        return Without(network, new SquareScores(), new() { Granularity = Granularity.Unit, Scope = Scope.Layer, GroupReduction = GroupImportance.Sum,
            Alignment = 1 }, pool => pool.Total - pool.Gone - Math.Max(1, Kept(width, (int)(pool.Total - pool.Gone))));
    }

    private static Network Without(Network network, ImportanceScores scores, SelectionOptions options, Func<CandidatePoolSize, long> drops)
    {
        var candidates = Candidates.Of(options, new(network, ImmutableDictionary<string, WeightMask>.Empty), scores);
        return candidates.Drop([.. candidates.Pools.Select(drops)]).Network;
    }

    private static int Kept(double share, int count) => (int)Math.Ceiling(share * count - 0.5);

    private static void Share(double value, string name)
    {
        if (!(value is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(name, value, "The share that is kept lies in (0, 1].");
        }
    }
}
