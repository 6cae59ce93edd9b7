using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Evaluation;

/// <summary>Dimensions of an operand and of a result that hold the same indices: what is at one of them comes from that index of the operand alone.</summary>
/// <param name="From">Dimensions of the operand.</param>
/// <param name="To">
/// Dimensions of the result; of several on either side, the indices of all are counted through, the last dimension fastest. None where a single index is
/// picked.
/// </param>
/// <param name="Picked">For an index of the result the one of the operand, or one that it does not have; null where they are the same.</param>
internal sealed record IndexLink(int[] From, int[] To, Func<int, int>? Picked = null)
{
    /// <summary>Indices that a concatenation takes from all its operands at most: a few bytes of a file can ask for any number.</summary>
    private const long Most = 1 << 24;

    private static readonly IndexLink[] s_none = [];

    /// <summary>The links of a node whose shapes are known.</summary>
    /// <param name="network">Its network.</param>
    /// <param name="node">The node.</param>
    /// <param name="known">Its operator.</param>
    /// <param name="operand">One of its operands.</param>
    /// <param name="output">One of its outputs.</param>
    /// <returns>Dimensions that are in none of them are worked over.</returns>
    public static IEnumerable<IndexLink> Of(Network network, Node node, Operator known, int operand, int output)
    {
        var (x, y) = (network.Find(node.Inputs[operand])!.Shape, network.Find(node.Outputs[output])!.Shape);
        if (known.IsElementwise)
        {
            return Aligned(x, y);
        }

        if (known.Over is { } over)
        {
            return operand == 0 ? Apart(x, y, [.. over(node, x.Length, network.Graph.Opset)])
                : known.Scaled is not { } scaled || operand > 2 ? s_none
                : scaled < 0 ? Aligned(x, y)
                : x[0] == y[scaled] ? [Same(0, scaled)] : s_none;
        }

        return (node.Operator, operand) switch
        {
            ("Transpose", 0) => node.Ints("perm", [.. Enumerable.Range(0, x.Length).Reverse().Select(d => (long)d)]).Select((from, to) => Same((int)from, to)),
            ("Reshape" or "Flatten" or "Squeeze" or "Unsqueeze", 0) => Reshaped(x, y),
            ("Concat", _) => Joined(network, node, operand, x, y),
            ("Split", 0) => Parts(node, output, x, y),
            ("Slice", 0) => Sliced(node, x, y),
            ("Gather", _) => Gathered(node, operand, x, y),
            ("Expand", 0) => Aligned(x, y),
            ("Tile", 0) => Equal(x, y).Concat(Resized(x, y).Select(d => Pick(d, i => i % x[d]))),
            ("Pad", 0) => Padded(node, x, y),
            _ => s_none,
        };
    }

    /// <summary>The links of what a sum of products multiplies, but for the dimension that is summed over.</summary>
    /// <param name="x">Its shape.</param>
    /// <param name="y">That of the result.</param>
    /// <param name="summed">The dimension that is summed over.</param>
    /// <param name="made">That of the result that the other operand makes; null for none.</param>
    /// <param name="isConvolution">Whether the dimensions behind both are positions that a window moves over.</param>
    public static IEnumerable<IndexLink> OfProduct(ImmutableArray<int> x, ImmutableArray<int> y, int summed, int? made, bool isConvolution)
    {
        if (isConvolution)
        {
            return Equal(x, y).Where(link => link.From[0] == 0);
        }

        int[] from = [.. Enumerable.Range(0, x.Length).Where(d => d != summed)], to = [.. Enumerable.Range(0, y.Length).Where(d => d != made)];
        return from.Reverse().Zip(to.Reverse()).Where(pair => x[pair.First] == y[pair.Second]).Select(pair => Same(pair.First, pair.Second));
    }

    /// <summary>The links of what is added to a sum of products.</summary>
    public static IEnumerable<IndexLink> OfBias(ImmutableArray<int> x, ImmutableArray<int> y, int? made, bool isConvolution)
        => !isConvolution ? Aligned(x, y) : made is { } channels && x[0] == y[channels] ? [Same(0, channels)] : s_none;

    /// <summary>The levels that an operand hands on.</summary>
    /// <param name="from">Those of the operand.</param>
    /// <param name="links">What ties it to the result.</param>
    /// <param name="x">Shape of the operand.</param>
    /// <param name="y">Shape of the result.</param>
    public static Marks Forward(Marks from, IEnumerable<IndexLink> links, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var (to, whole) = (new byte[]?[y.Length], from.Whole);
        foreach (var link in links)
        {
            if (link is { Picked: { } single, To.Length: 0 })
            {
                whole = Math.Min(whole, from.At(link.From[0], single(0)));
            }
            else if (link.Picked is { } picked)
            {
                var place = link.From[0];
                to[link.To[0]] = [.. Enumerable.Range(0, y[link.To[0]])
                    .Select(i => picked(i) is >= 0 and var own && own < x[place] ? from.At(place, own) : (byte)0)];
            }
            else if (link.From.Length == 1 && link.To.Length == 1)
            {
                to[link.To[0]] = from.Dimensions[link.From[0]];
            }
            else
            {
                Spread(from, link.From, x, to, link.To, y);
            }
        }

        return new(whole, to);
    }

    /// <summary>The levels that a result asks of an operand.</summary>
    /// <param name="to">Those of the result.</param>
    /// <param name="links">What ties it to the operand.</param>
    /// <param name="x">Shape of the operand.</param>
    /// <param name="y">Shape of the result.</param>
    public static Marks Backward(Marks to, IEnumerable<IndexLink> links, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var from = new byte[]?[x.Length];
        foreach (var link in links)
        {
            if (link.Picked is { } picked)
            {
                var levels = from[link.From[0]] = new byte[x[link.From[0]]];
                for (var i = 0; i < (link.To.Length == 0 ? 1 : y[link.To[0]]); i++)
                {
                    if (picked(i) is >= 0 and var own && own < levels.Length)
                    {
                        levels[own] = Math.Max(levels[own], link.To.Length == 0 ? to.Whole : to.At(link.To[0], i));
                    }
                }
            }
            else if (link.From.Length == 1 && link.To.Length == 1)
            {
                from[link.From[0]] = to.Dimensions[link.To[0]];
            }
            else
            {
                Spread(to, link.To, y, from, link.From, x);
            }
        }

        return new Marks(to.Whole, from).Settle();
    }

    /// <summary>What is at all of several indices together has the lowest of their levels; an index the highest of all that is there.</summary>
    private static void Spread(Marks marks, int[] dimensions, ImmutableArray<int> shape, byte[]?[] into, int[] places, ImmutableArray<int> other)
    {
        var all = places.Select(d => into[d] = new byte[other[d]]).ToArray();
        var own = dimensions.Select(d => marks.Dimensions[d]).ToArray();
        var count = all.Aggregate(1, (product, levels) => product * levels.Length);
        for (var i = 0; i < count; i++)
        {
            var (level, rest) = (marks.Whole, i);
            for (var d = own.Length - 1; d >= 0; rest /= shape[dimensions[d--]])
            {
                level = own[d] is { } levels ? Math.Min(level, levels[rest % levels.Length]) : level;
            }

            rest = i;
            for (var d = all.Length - 1; d >= 0; rest /= all[d--].Length)
            {
                all[d][rest % all[d].Length] = Math.Max(all[d][rest % all[d].Length], level);
            }
        }
    }

    private static IndexLink Same(int from, int to) => new([from], [to]);

    private static IndexLink Pick(int dimension, Func<int, int> picked) => new([dimension], [dimension], picked);

    private static IEnumerable<IndexLink> Equal(ImmutableArray<int> x, ImmutableArray<int> y)
        => Enumerable.Range(0, Math.Min(x.Length, y.Length)).Where(d => x[d] == y[d]).Select(d => Same(d, d));

    /// <summary>Dimensions of other sizes, both of which are numbers.</summary>
    private static IEnumerable<int> Resized(ImmutableArray<int> x, ImmutableArray<int> y)
        => Enumerable.Range(0, x.Length).Where(d => x[d] != y[d] && x[d] > 0 && y[d] > 0);

    /// <summary>From the right; size 1 goes with every index.</summary>
    private static IEnumerable<IndexLink> Aligned(ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var added = y.Length - x.Length;
        return Enumerable.Range(0, x.Length).Where(d => d + added >= 0 && x[d] == y[d + added]).Select(d => Same(d, d + added));
    }

    private static IEnumerable<IndexLink> Apart(ImmutableArray<int> x, ImmutableArray<int> y, HashSet<int> over)
    {
        int[] kept = [.. Enumerable.Range(0, x.Length).Where(d => !over.Contains(d))];
        return kept.Select((d, i) => Same(d, y.Length == x.Length ? d : i)).Where(link => link.To[0] < y.Length && x[link.From[0]] == y[link.To[0]]);
    }

    /// <summary>The shortest runs of dimensions that hold as many indices, from both ends up to where open sizes leave it open.</summary>
    private static List<IndexLink> Reshaped(ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var links = new List<IndexLink>();
        var (i, j) = (0, 0);
        while (Run(x[i..], y[j..]) is var (from, to))
        {
            links.Add(new([.. Enumerable.Range(i, from)], [.. Enumerable.Range(j, to)]));
            (i, j) = (i + from, j + to);
        }

        var (m, n) = (x.Length, y.Length);
        while (Run([.. x[i..m].Reverse()], [.. y[j..n].Reverse()]) is var (from, to))
        {
            (m, n) = (m - from, n - to);
            links.Add(new([.. Enumerable.Range(m, from)], [.. Enumerable.Range(n, to)]));
        }

        return links;
    }

    /// <summary>How many dimensions from the first on hold as many indices on both sides; null where that is not known, or none are left.</summary>
    private static (int From, int To)? Run(ImmutableArray<int> x, ImmutableArray<int> y)
    {
        if (x.Length == 0 || y.Length == 0)
        {
            return null;
        }

        if (x[0] == y[0])
        {
            return (1, 1);
        }

        var (i, j, left, right) = (0, 0, 1L, 1L);
        do
        {
            if (left <= right)
            {
                if (i == x.Length || x[i] <= 0)
                {
                    return null;
                }

                left *= x[i++];
            }
            else
            {
                if (j == y.Length || y[j] <= 0)
                {
                    return null;
                }

                right *= y[j++];
            }
        }
        while (left != right || j == 0);

        return (i, j);
    }

    private static IEnumerable<IndexLink> Joined(Network network, Node node, int operand, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var axis = node.Axis(y.Length, 0);
        var others = Equal(x, y).Where(link => link.From[0] != axis);
        if (y[axis] <= 0 || (long)y[axis] * node.Inputs.Length > Most)
        {
            return others;
        }

        var start = node.Inputs.Take(operand).Sum(name => network.Find(name)!.Shape[axis]);
        return others.Append(Pick(axis, i => i - start));
    }

    private static IEnumerable<IndexLink> Parts(Node node, int output, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        var axis = node.Axis(x.Length, 0);
        var others = Equal(x, y).Where(link => link.From[0] != axis);
        if (node.Inputs.Length > 1 || x[axis] <= 0)
        {
            return others;
        }

        var start = (int)node.Ints("split").Take(output).Sum();
        return others.Append(Pick(axis, i => start + i));
    }

    private static IEnumerable<IndexLink> Sliced(Node node, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        // Dimensions that are cut at computed places have sizes of their own.
        var cut = node.Inputs.Length > 1 ? [] : LayoutShapes.Ranges(node, x).ToDictionary(range => range.Axis, range => range.Range);
        return Enumerable.Range(0, x.Length).Where(d => cut.TryGetValue(d, out var range) ? range is not null : x[d] == y[d])
            .Select(d => cut.GetValueOrDefault(d) is var (start, _, step) ? Pick(d, i => start + (i * step)) : Same(d, d));
    }

    private static IEnumerable<IndexLink> Gathered(Node node, int operand, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        if (operand == 1)
        {
            return Enumerable.Range(0, x.Length).Select(d => Same(d, d + node.Axis(y.Length - x.Length + 1, 0)));
        }

        var axis = node.Axis(x.Length, 0);
        var others = Enumerable.Range(0, x.Length).Where(d => d != axis).Select(d => Same(d, d < axis ? d : d + y.Length - x.Length));
        return node.Inputs.Length > 1 || x[axis] <= 0 ? others
            : others.Append(new([axis], node.Int("scalar", 0) == 1 ? [] : [axis], i => Node.Resolve(node.Ints("indices")[i], x[axis])));
    }

    private static IEnumerable<IndexLink> Padded(Node node, ImmutableArray<int> x, ImmutableArray<int> y)
    {
        if (node.Inputs.Length > 1)
        {
            return s_none;
        }

        var pads = node.Ints("pads");
        var isConstant = node.Text("mode", "constant") == "constant";
        return Enumerable.Range(0, x.Length).Where(d => (pads[d] == 0 && pads[x.Length + d] == 0) || (isConstant && x[d] > 0 && y[d] > 0))
            .Select(d => pads[d] == 0 && pads[x.Length + d] == 0 ? Same(d, d) : Pick(d, i => i - (int)pads[d]));
    }
}
