using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Structure;

/// <summary>
/// Follows indices through a reshape. Sizes are matched from the right, so that an open batch stays on the left. A merged index keeps the
/// classes of its live factor; of a factor that is split, one part stays live: the heads of an attention, else the index within.
/// </summary>
internal static class ReshapeCoupling
{
    public static StructuredValue Reshape(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var (from, to) = (coupling.Info(node.Inputs[0]).Shape, coupling.Info(node.Outputs[0]).Shape);
        var symbols = coupling.Graph.Symbols;
        var factors = Factors(x, from, symbols);
        var parts = Match(factors, to, symbols);
        if (parts is null)
        {
            var reason = $"node '{node.Name}' ({node.Operator}) splits and merges it in a way that no dimension passes";
            coupling.Fix(x, reason);
            return new([.. to.Select(_ => Axis.Inert(reason))], false);
        }

        for (var i = 0; i < factors.Count; i++)
        {
            if (factors[i].Axis is not null)
            {
                Choose(coupling, node, factors[i], $"{node.Name}.{i}");
            }
        }

        return new([.. to.Select((size, d) => size == 1 ? Coupling.Single : Merge(coupling, node, parts[d], symbols))], x.Zero);
    }

    /// <summary>The input's dimensions as factors from left to right: an inert one is one factor, a live one up to three.</summary>
    private static List<Factor> Factors(StructuredValue x, IReadOnlyList<int> shape, Symbols symbols)
    {
        var factors = new List<Factor>();
        for (var d = 0; d < shape.Count; d++)
        {
            if (x.Axes[d] is { Classes: { } classes } axis)
            {
                factors.AddRange([new Factor(axis.Outer, null, ""), new Factor(classes.Length, axis, ""), new Factor(axis.Inner, null, "")]);
            }
            else
            {
                factors.Add(new(shape[d], null, x.Axes[d].Reason));
            }
        }

        factors.RemoveAll(factor => factor.Size == 1);
        return factors;
    }

    /// <summary>For each dimension of the output the parts of factors that it is made of, from left to right; null where they do not fit.</summary>
    private static List<Part>[]? Match(List<Factor> factors, IReadOnlyList<int> to, Symbols symbols)
    {
        if (to.Contains(0) || factors.Any(factor => factor.Size == 0))
        {
            // Where there are no values, none tells which dimensions they would pass.
            return null;
        }

        var parts = Enumerable.Range(0, to.Count).Select(_ => new List<Part>()).ToArray();
        var next = factors.Count - 1;
        var left = next >= 0 ? factors[next].Size : 1;
        for (var d = to.Count - 1; d >= 0; d--)
        {
            var need = to[d];
            while (need != 1)
            {
                if (next < 0)
                {
                    return null;
                }

                int taken;
                if (need == left || symbols.Quotient(need, left) is not null)
                {
                    taken = left;
                }
                else if (symbols.Quotient(left, need) is not null)
                {
                    taken = need;
                }
                else
                {
                    return null;
                }

                var part = new Part(factors[next], taken);
                factors[next].Parts.Insert(0, part);
                parts[d].Insert(0, part);
                need = symbols.Quotient(need, taken)!.Value;
                left = symbols.Quotient(left, taken)!.Value;
                if (left == 1)
                {
                    next--;
                    left = next >= 0 ? factors[next].Size : 1;
                }
            }
        }

        return next < 0 ? parts : null;
    }

    /// <summary>Which part of a split factor stays live.</summary>
    private static void Choose(Coupling coupling, Node node, Factor factor, string split)
    {
        if (factor.Parts.Count == 1)
        {
            factor.Parts[0].Classes = factor.Axis!.Classes;
            return;
        }

        var heads = IsAttention(coupling, node.Outputs[0]);
        var last = factor.Parts.Count - 1;
        // Attention shrinks by that of head and index within it that was requested; all else by the last part of which something can go.
        int[] order = heads ? [coupling.Options.WholeHeads ? last - 1 : last, .. Enumerable.Range(0, last - 1).Reverse()]
            : [.. Enumerable.Range(0, last + 1).Reverse()];
        var live = order[Math.Min(coupling.Choice(split), order.Length - 1)];
        var (outer, length, inner) = (Size(factor.Parts.Take(live)), factor.Parts[live].Size, Size(factor.Parts.Skip(live + 1)));
        var classes = coupling.Factor(new Axis(factor.Axis!.Classes), outer, length, inner).Classes!;
        factor.Parts[live].Classes = classes;
        coupling.Chose(split, order.Length, classes);
        foreach (var part in factor.Parts.Where((_, i) => i != live))
        {
            part.Reason = heads ? "attention shrinks by the other of head and index within it" : "it is split, and the other part shrinks";
        }

        if (heads && coupling.Options.WholeHeads && live == last - 1)
        {
            coupling.MarkHeads(classes);
        }
    }

    private static int Size(IEnumerable<Part> parts) => parts.Aggregate(1, (product, part) => product * part.Size);

    private static Axis Merge(Coupling coupling, Node node, List<Part> parts, Symbols symbols)
    {
        // Of heads and an index within them that keys and values have of their own, where one head serves all queries, the one that was requested.
        var live = parts.Where(part => part.Classes is not null)
            .OrderByDescending(part => coupling.Options.WholeHeads && part.Classes!.Any(coupling.Heads.Contains))
            .ThenByDescending(part => part.Classes!.Length).ToArray();
        if (live.Length == 0)
        {
            return parts.FirstOrDefault() is { } part ? Axis.Inert(part.Factor.Reason.Length > 0 ? part.Factor.Reason : part.Reason) : Coupling.Single;
        }

        foreach (var other in live.Skip(1))
        {
            coupling.Fix(new Axis(other.Classes), $"node '{node.Name}' ({node.Operator}) merges it with another dimension that shrinks");
        }

        var place = parts.IndexOf(live[0]);
        return new(live[0].Classes, symbols.Product(parts.Take(place).Select(part => part.Size)),
            symbols.Product(parts.Skip(place + 1).Select(part => part.Size)));
    }

    /// <summary>Whether what follows, up to the next reshape or cut, multiplies two tensors: then the split is one into heads.</summary>
    private static bool IsAttention(Coupling coupling, string tensor)
    {
        var (seen, open) = (new HashSet<string>(), new Queue<string>([tensor]));
        while (open.TryDequeue(out var next))
        {
            foreach (var consumer in coupling.Graph.Consumers(next).Where(consumer => seen.Add(consumer.Name)))
            {
                switch (consumer.Operator)
                {
                    case "MatMul" when consumer.Inputs.All(input => coupling.Graph.Place(input) is null):
                        return true;
                    case "Transpose" or "Mul" or "Div" or "Add" or "Sub" or "Neg" or "Pow" or "Unsqueeze" or "Squeeze" or "Sqrt" or "Softmax" or "Relu"
                        or "Elu" or "Tanh"
                        or "Split" or "Slice" or "Gather" or "Concat" or "Expand" or "Where" or "Cast" or "Clip" or "Min" or "Max" or "Reciprocal" or "Sigmoid"
                        or "LayerNormalization" or "ReduceMean" or "ReduceSum" or "ReduceL2" or "LpNormalization" or "Dropout"
                        or "QuantizeLinear" or "DynamicQuantizeLinear" or "DequantizeLinear":
                        Array.ForEach(consumer.Outputs.ToArray(), open.Enqueue);
                        break;
                    case "Reshape" when consumer.Attributes.ContainsKey("shape") && Reorders(coupling, consumer):
                        open.Enqueue(consumer.Outputs[0]);
                        break;
                    case "Reshape" when consumer.Attributes.ContainsKey("shape"):
                        // Merged and split again, as between an operator that turns heads by their positions and the attention.
                        var shape = coupling.Info(consumer.Inputs[0]).Shape;
                        foreach (var split in coupling.Graph.Consumers(consumer.Outputs[0])
                            .Where(node => node.Operator == "Reshape" && coupling.Info(node.Outputs[0]).Shape.SequenceEqual(shape)))
                        {
                            open.Enqueue(split.Outputs[0]);
                        }

                        break;
                }
            }
        }

        return false;
    }

    /// <summary>Whether a reshape only merges the batch with what stands beside it, as attention does before it multiplies.</summary>
    private static bool Reorders(Coupling coupling, Node reshape)
    {
        var (from, to) = (coupling.Info(reshape.Inputs[0]).Shape, coupling.Info(reshape.Outputs[0]).Shape);
        return from.Length >= 3 && to.Length >= 3 && from[^1] == to[^1];
    }

    private sealed class Factor(int size, Axis? axis, string reason)
    {
        public int Size => size;

        /// <summary>The dimension whose classes it is; null for what is inert.</summary>
        public Axis? Axis => axis;

        public string Reason => reason;

        public List<Part> Parts { get; } = [];
    }

    private sealed class Part(Factor factor, int size)
    {
        public Factor Factor => factor;

        public int Size => size;

        /// <summary>The classes of its indices, once it is chosen to stay live.</summary>
        public int[]? Classes { get; set; }

        public string Reason { get; set; } = "its indices are positions, rows or steps, not units";
    }
}
