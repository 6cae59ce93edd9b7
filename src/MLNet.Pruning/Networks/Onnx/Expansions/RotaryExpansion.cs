namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>Rotary positions: pairs of values turned by an angle that grows with the position (Su et al. 2021).</summary>
internal static class RotaryExpansion
{
    private static readonly string[] s_attributes = ["interleaved", "num_heads", "rotary_embedding_dim", "scale", "is_packed_batching"];

    /// <param name="node">The node.</param>
    /// <param name="to">Takes the simpler nodes.</param>
    /// <param name="cosines">Place of the cosines among what it reads: position x pair, or row x position x pair where no positions are given.</param>
    /// <param name="sines">Place of the sines.</param>
    /// <param name="positions">Place of the positions, row x step.</param>
    public static bool Expand(Node node, Expansion to, int cosines, int sines, int positions)
    {
        var (shape, table) = (to.Shape(node.Inputs[0]), to.Shape(node.Inputs[cosines]));
        if (node.Attributes.Keys.Except(s_attributes).Any() || node.Float("scale", 1) != 1 || node.Int("is_packed_batching", 0) == 1
            || shape.IsDefault || shape.Length is not (3 or 4) || table.IsDefault || table[^1] <= 0
            || (node.Input(positions) is { } given && to.Shape(given) is not { IsDefault: false, Length: 2 }))
        {
            return false;
        }

        var is3D = shape.Length == 3;
        var heads = is3D ? (int)(node.Int("num_heads", 0) is > 0 and var count ? count : to.Symbols.Quotient(shape[2], 2 * table[^1]) ?? 0) : shape[1];
        if (heads <= 0 || (is3D && to.Symbols.Quotient(shape[2], heads) is null))
        {
            return false;
        }

        var x = is3D ? to.Reshaped(node.Inputs[0], shape[0], shape[1], heads, to.Symbols.Quotient(shape[2], heads)!.Value) : node.Inputs[0];
        var size = to.Shape(x)[3];
        var turned = (int)(node.Int("rotary_embedding_dim", 0) is > 0 and var partial ? partial : size);
        var headAxis = is3D ? 2L : 1L;
        string Angles(int input)
        {
            var angles = node.Input(positions) is { } places ? to.Emit("Gather", [node.Inputs[input], places], ("axis", 0L)) : node.Inputs[input];
            return to.Emit("Unsqueeze", [angles], ("axes", new[] { headAxis }));
        }

        var (cos, sin) = (Angles(cosines), Angles(sines));
        var parts = turned < size ? to.EmitSplit(x, 3, [turned, size - turned]) : [x];
        var interleaved = node.Int("interleaved", 0) == 1;
        var halves = interleaved ? [EverySecond(to, parts[0], 0), EverySecond(to, parts[0], 1)] : to.EmitSplit(parts[0], 3, [turned / 2, turned / 2]);
        var (a, b) = (halves[0], halves[1]);
        var real = to.Emit("Sub", [to.Emit("Mul", [cos, a]), to.Emit("Mul", [sin, b])]);
        var imaginary = to.Emit("Add", [to.Emit("Mul", [sin, a]), to.Emit("Mul", [cos, b])]);
        string[] all = [.. interleaved ? [Interleaved(to, real, imaginary)] : new[] { real, imaginary }, .. parts.Skip(1)];
        if (is3D)
        {
            to.EmitAs(node.Outputs[0], "Reshape", [to.Emit("Concat", all, ("axis", 3L))], ("shape", shape.Select(s => (long)s).ToArray()));
        }
        else
        {
            to.EmitAs(node.Outputs[0], "Concat", all, ("axis", 3L));
        }

        return true;
    }

    private static string EverySecond(Expansion to, string x, long start)
        => to.Emit("Slice", [x], ("starts", new[] { start }), ("ends", new[] { (long)int.MaxValue }), ("axes", new[] { 3L }), ("steps", new[] { 2L }));

    /// <summary>Two tensors value by value in turns.</summary>
    private static string Interleaved(Expansion to, string a, string b)
    {
        var shape = to.Shape(a);
        var pairs = to.Emit("Concat", [to.Emit("Unsqueeze", [a], ("axes", new[] { 4L })), to.Emit("Unsqueeze", [b], ("axes", new[] { 4L }))], ("axis", 4L));
        return to.Reshaped(pairs, shape[0], shape[1], shape[2], 2 * shape[3]);
    }
}
