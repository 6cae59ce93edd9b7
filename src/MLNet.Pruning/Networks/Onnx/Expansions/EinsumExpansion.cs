using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>
/// Sums of products written as an equation, two operands at a time: as a product of matrices over what both have and the result lacks, in
/// stacks over what all have.
/// </summary>
internal static class EinsumExpansion
{
    public static bool Expand(Node node, Expansion to)
    {
        if (node.Inputs.Any(input => to.Shape(input).IsDefault)
            || EinsumEquation.Parse(node.Text("equation", ""), [.. node.Inputs.Select(input => to.Shape(input).Length)]) is not { } parsed)
        {
            return false;
        }

        var (operands, output) = parsed;
        if (operands.Append(output).Any(labels => labels.Distinct().Count() != labels.Length)
            || output.Any(label => !operands.Any(labels => labels.Contains(label))))
        {
            // A diagonal, or a letter out of nowhere.
            return false;
        }

        var (result, labels) = (node.Inputs[0], operands[0]);
        for (var i = 1; i < operands.Length; i++)
        {
            var needed = string.Concat(operands.Skip(i + 1).Append(output));
            (string?, string?) last = i == operands.Length - 1 ? (node.Outputs[0], output) : default;
            (result, labels) = Multiply(to, (result, labels), (node.Inputs[i], operands[i]), needed, last);
        }

        (result, labels) = Summed(to, (result, labels), output);
        if (result != node.Outputs[0])
        {
            to.EmitAs(node.Outputs[0], "Transpose", [result], ("perm", output.Select(label => (long)labels.IndexOf(label)).ToArray()));
        }

        return true;
    }

    /// <param name="to">Takes the simpler nodes.</param>
    /// <param name="a">A tensor with a letter for each dimension.</param>
    /// <param name="b">Another.</param>
    /// <param name="needed">Letters that something behind needs.</param>
    /// <param name="last">Name and letters of the result of all; what is computed bears that name where it has these letters in this order.</param>
    private static (string Tensor, string Labels) Multiply(
        Expansion to, (string Tensor, string Labels) a, (string Tensor, string Labels) b, string needed, (string? Tensor, string? Labels) last)
    {
        (a, b) = (Summed(to, a, needed + b.Labels), Summed(to, b, needed + a.Labels));
        var contracted = Only(a.Labels, label => b.Labels.Contains(label) && !needed.Contains(label));
        var stacked = Only(a.Labels, label => b.Labels.Contains(label) && needed.Contains(label));
        var (rows, columns) = (Only(a.Labels, label => !b.Labels.Contains(label)), Only(b.Labels, label => !a.Labels.Contains(label)));
        if (contracted.Length == 0)
        {
            var all = rows + stacked + columns;
            return (to.Emit(all == last.Labels ? last.Tensor : null, "Mul", [Aligned(to, a, all), Aligned(to, b, all)]), all);
        }

        // All but the last row and the last column are stacks, of size 1 in the other operand; sizes 1 in front need not be there.
        var (row, column) = (Last(rows), Last(columns));
        var stacks = rows[..^row.Length] + stacked + columns[..^column.Length];
        var left = Matrix(to, a, string.Concat(stacks.SkipWhile(label => !a.Labels.Contains(label))), row, contracted);
        var right = Matrix(to, b, string.Concat(stacks.SkipWhile(label => !b.Labels.Contains(label))), contracted, column);
        var name = stacks + row + column == last.Labels ? last.Tensor : null;
        long[] dropped = [.. row.Length == 0 ? [-2L] : Array.Empty<long>(), .. column.Length == 0 ? [-1L] : Array.Empty<long>()];
        var product = to.Emit(dropped.Length == 0 ? name : null, "MatMul", [left, right]);
        return (dropped.Length == 0 ? product : to.Emit(name, "Squeeze", [product], ("axes", dropped)), stacks + row + column);
    }

    /// <summary>Stacks of matrices whose rows and columns are each none, one or several of the dimensions.</summary>
    private static string Matrix(Expansion to, (string Tensor, string Labels) x, string stacks, string rows, string columns)
    {
        var aligned = Aligned(to, x, stacks + rows + columns);
        var shape = to.Shape(aligned);
        return rows.Length == 1 && columns.Length == 1 ? aligned
            : to.Reshaped(aligned, [.. shape.Take(stacks.Length), to.Symbols.Product(shape.Skip(stacks.Length).Take(rows.Length)),
                to.Symbols.Product(shape.Skip(stacks.Length + rows.Length))]);
    }

    /// <summary>The dimensions in an order, those it lacks of size 1.</summary>
    private static string Aligned(Expansion to, (string Tensor, string Labels) x, string order)
    {
        var own = Only(order, x.Labels.Contains);
        var moved = own == x.Labels ? x.Tensor : to.Emit("Transpose", [x.Tensor], ("perm", own.Select(label => (long)x.Labels.IndexOf(label)).ToArray()));
        var added = order.Select((label, d) => (label, d)).Where(place => !x.Labels.Contains(place.label)).Select(place => (long)place.d).ToArray();
        return added.Length == 0 ? moved : to.Emit("Unsqueeze", [moved], ("axes", added));
    }

    /// <summary>The operand summed over the dimensions that nothing needs.</summary>
    private static (string Tensor, string Labels) Summed(Expansion to, (string Tensor, string Labels) x, string needed)
    {
        var axes = x.Labels.Select((label, d) => (label, d)).Where(place => !needed.Contains(place.label)).Select(place => (long)place.d).ToArray();
        return axes.Length == 0 ? x : (to.Emit("ReduceSum", [x.Tensor], ("axes", axes), ("keepdims", 0L)), Only(x.Labels, needed.Contains));
    }

    private static string Only(string labels, Func<char, bool> condition) => string.Concat(labels.Where(condition));

    private static string Last(string labels) => labels.Length == 0 ? "" : labels[^1..];
}
