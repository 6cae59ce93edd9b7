namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>Attention as products of matrices: softmax(Q K^T scale + mask) V for each head.</summary>
internal static class AttentionExpansion
{
    private static readonly string[] s_standard = ["is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap",
        "softmax_precision"];
    private static readonly string[] s_packed =
        ["num_heads", "unidirectional", "qkv_hidden_sizes", "mask_filter_value", "scale", "do_rotary", "past_present_share_buffer", "rotary_embedding_dim"];

    private static readonly string[] s_multiHead = ["num_heads", "unidirectional", "mask_filter_value", "scale"];

    /// <summary>The operator of the standard, from version 23.</summary>
    public static bool Standard(Node node, Expansion to)
    {
        var shapes = node.Inputs.Take(3).Select(to.Shape).ToArray();
        if (node.Attributes.Keys.Except(s_standard).Any() || node.Input(6) is not null
            || shapes.Any(shape => shape.IsDefault || shape.Length != shapes[0].Length || shape.Length is not (3 or 4))
            || (node.Input(3) is { } given && to.Shape(given).IsDefault)
            || (OperatorExpansion.Writes(node, 3) && node.Int("qk_matmul_output_mode", 0) is 1 or 2))
        {
            return false;
        }

        var is3D = shapes[0].Length == 3;
        var (heads, sharedHeads) = is3D ? ((int)node.Int("q_num_heads", 0), (int)node.Int("kv_num_heads", 0)) : (shapes[0][1], shapes[1][1]);
        if (heads <= 0 || sharedHeads <= 0 || heads % sharedHeads != 0)
        {
            return false;
        }

        var (q, k, v) = is3D ? (Split(to, node.Inputs[0], heads), Split(to, node.Inputs[1], sharedHeads), Split(to, node.Inputs[2], sharedHeads))
            : (node.Inputs[0], node.Inputs[1], node.Inputs[2]);
        k = WithPast(node, to, k, node.Input(4), 1);
        v = WithPast(node, to, v, node.Input(5), 2);
        var past = node.Input(4) is { } before ? to.Shape(before)[2] : 0;
        (k, v) = (Repeated(to, k, heads / sharedHeads), Repeated(to, v, heads / sharedHeads));

        var raw = Scores(node, to, q, k);
        // ONNX Runtime caps before it masks in every version of the operator.
        var scores = node.Float("softcap", 0) is > 0 and var cap
            ? to.Emit("Mul", [to.Emit("Tanh", [to.Emit("Div", [raw, to.Number(cap)])]), to.Number(cap)]) : raw;
        if (node.Input(3) is { } mask)
        {
            scores = to.Emit("Add", [scores, to.Type(mask) == TensorType.Bool ? to.Emit("Where", [mask, to.Number(0), to.Number(float.MinValue)]) : mask]);
        }

        scores = node.Int("is_causal", 0) == 1 ? to.Emit("Add", [scores, Causal(to, scores, past)]) : scores;
        var shares = to.Emit("Softmax", [scores], ("axis", 3L));
        if (OperatorExpansion.Writes(node, 3))
        {
            to.EmitAs(node.Outputs[3], "Identity", [node.Int("qk_matmul_output_mode", 0) == 3 ? shares : raw]);
        }

        if (is3D)
        {
            Merge(to, node.Outputs[0], to.Emit("MatMul", [shares, v]));
        }
        else
        {
            to.EmitAs(node.Outputs[0], "MatMul", [shares, v]);
        }

        return true;
    }

    /// <summary>The operator of com.microsoft whose one weight makes queries, keys and values.</summary>
    public static bool Packed(Node node, Expansion to)
    {
        var (x, weight) = (to.Shape(node.Inputs[0]), to.Shape(node.Inputs[1]));
        var heads = (int)node.Int("num_heads", 0);
        if (node.Attributes.Keys.Except(s_packed).Any() || x is not { IsDefault: false, Length: 3 } || weight is not { IsDefault: false, Length: 2 }
            || node.Input(6) is not null || node.Int("do_rotary", 0) == 1 || node.Int("past_present_share_buffer", 0) == 1 || heads <= 0
            || (node.Input(4) is { } before && to.Shape(before) is not { IsDefault: false, Length: 5 }) || !IsPadding(to, node.Input(3), x[0]))
        {
            return false;
        }

        var sizes = node.Ints("qkv_hidden_sizes", weight[1] / 3, weight[1] / 3, weight[1] / 3);
        var product = to.Emit("MatMul", [node.Inputs[0], node.Inputs[1]]);
        product = node.Input(2) is { } bias ? to.Emit("Add", [product, bias]) : product;
        var parts = to.EmitSplit(product, 2, sizes);
        var (k, v, past) = (Split(to, parts[1], heads), Split(to, parts[2], heads), 0);
        if (node.Input(4) is { } both)
        {
            // Keys, then values.
            string[] memory = [.. to.EmitSplit(both, 0, [1, 1]).Select(one => to.Emit("Squeeze", [one], ("axes", new[] { 0L })))];
            past = to.Shape(memory[0])[2];
            (k, v) = (to.Emit("Concat", [memory[0], k], ("axis", 2L)), to.Emit("Concat", [memory[1], v], ("axis", 2L)));
        }

        if (OperatorExpansion.Writes(node, 1))
        {
            to.EmitAs(node.Outputs[1], "Concat", [.. new[] { k, v }.Select(one => to.Emit("Unsqueeze", [one], ("axes", new[] { 0L })))], ("axis", 0L));
        }

        Attend(node, to, Split(to, parts[0], heads), k, v, node.Input(3), node.Input(5), past);
        return true;
    }

    /// <summary>The operator of com.microsoft that reads queries, keys and values.</summary>
    public static bool MultiHead(Node node, Expansion to)
    {
        var heads = (int)node.Int("num_heads", 0);
        if (node.Attributes.Keys.Except(s_multiHead).Any() || node.Input(1) is null || node.Input(2) is null || heads <= 0
            || node.Inputs.Skip(8).Any(input => input.Length > 0) || node.Inputs.Take(3).Any(input => to.Shape(input) is not { IsDefault: false, Length: 3 })
            || node.Input(6) is null != node.Input(7) is null || node.Inputs.Skip(6)
                .Any(past => past.Length > 0 && to.Shape(past) is not { IsDefault: false, Length: 4 })
            || OperatorExpansion.Writes(node, 3)
            || !IsPadding(to, node.Input(4), to.Shape(node.Inputs[0])[0]))
        {
            return false;
        }

        string[] parts = [.. node.Inputs.Take(3)];
        if (node.Input(3) is { } bias)
        {
            var biases = to.EmitSplit(bias, 0, [.. parts.Select(part => (long)to.Shape(part)[2])]);
            parts = [.. parts.Zip(biases, (part, shift) => to.Emit("Add", [part, shift]))];
        }

        var (k, v) = (WithPast(node, to, Split(to, parts[1], heads), node.Input(6), 1), WithPast(node, to, Split(to, parts[2], heads), node.Input(7), 2));
        Attend(node, to, Split(to, parts[0], heads), k, v, node.Input(4), node.Input(5), node.Input(6) is { } past ? to.Shape(past)[2] : 0);
        return true;
    }

    /// <param name="node">The node.</param>
    /// <param name="to">Takes what it stands for.</param>
    /// <param name="q">Queries, rows x heads x steps x size.</param>
    /// <param name="k">Keys, those before counted.</param>
    /// <param name="v">Values, those before counted.</param>
    /// <param name="padding">Which keys are left out; null for none.</param>
    /// <param name="bias">Added to the scores; null for none.</param>
    /// <param name="past">How many keys are of steps before.</param>
    private static void Attend(Node node, Expansion to, string q, string k, string v, string? padding, string? bias, int past)
    {
        var scores = Scores(node, to, q, k);
        if (padding is not null)
        {
            scores = to.Emit("Add", [scores, Padding(node, to, padding, to.Shape(scores)[3])]);
        }

        scores = bias is null ? scores : to.Emit("Add", [scores, bias]);
        scores = node.Int("unidirectional", 0) == 1 ? to.Emit("Add", [scores, Causal(to, scores, past)]) : scores;
        Merge(to, node.Outputs[0], to.Emit("MatMul", [to.Emit("Softmax", [scores], ("axis", 3L)), v]));
    }

    /// <summary>Rows x steps x (heads x size) as rows x heads x steps x size.</summary>
    private static string Split(Expansion to, string x, int heads)
    {
        var shape = to.Shape(x);
        return to.Emit("Transpose", [to.Reshaped(x, shape[0], shape[1], heads, to.Symbols.Quotient(shape[2], heads)
            ?? throw new ArgumentException($"its {shape[2]} values do not make {heads} heads"))], ("perm", new[] { 0L, 2, 1, 3 }));
    }

    /// <summary>The reverse of <see cref="Split"/>.</summary>
    private static void Merge(Expansion to, string output, string x)
    {
        var shape = to.Shape(x);
        to.EmitAs(output, "Reshape", [to.Emit("Transpose", [x], ("perm", new[] { 0L, 2, 1, 3 }))],
            ("shape", new long[] { shape[0], shape[2], to.Symbols.Product(shape[1], shape[3]) }));
    }

    /// <summary>What was kept of the steps before with what is new, which the node writes where it has an output for it.</summary>
    private static string WithPast(Node node, Expansion to, string x, string? past, int output)
    {
        var written = OperatorExpansion.Writes(node, output) ? node.Outputs[output] : null;
        return past is not null ? to.Emit(written, "Concat", [past, x], ("axis", 2L)) : written is not null ? to.Emit(written, "Identity", [x]) : x;
    }

    /// <summary>Each head as often as queries share it.</summary>
    private static string Repeated(Expansion to, string x, int times)
    {
        if (times == 1)
        {
            return x;
        }

        var shape = to.Shape(x);
        var single = to.Emit("Unsqueeze", [x], ("axes", new[] { 2L }));
        var wide = to.Emit("Expand", [single], ("shape", new long[] { shape[0], shape[1], times, shape[2], shape[3] }));
        return to.Reshaped(wide, shape[0], shape[1] * times, shape[2], shape[3]);
    }

    private static string Scores(Node node, Expansion to, string q, string k)
    {
        var scale = node.Float("scale", 0) is var given && given != 0 ? given : 1 / MathF.Sqrt(to.Shape(q)[3]);
        return to.Emit("Mul", [to.Emit("MatMul", [q, to.Transposed(k)]), to.Number(scale)]);
    }

    /// <summary>What is added so that no step looks at a later one: the lowest number above the diagonal, moved by the steps before.</summary>
    private static string Causal(Expansion to, string scores, int past)
    {
        var shape = to.Shape(scores);
        var ones = to.Emit("ConstantOfShape", [], ("shape", new long[] { shape[2], shape[3] }), ("value", 1f), ("dtype", (long)TensorType.Float));
        var seen = to.Emit("Trilu", past == 0 ? [ones] : [ones, to.Size(past)], ("upper", 0L));
        return to.Emit("Where", [to.Emit("Cast", [seen], ("to", (long)TensorType.Bool)), to.Number(0), to.Number(float.MinValue)]);
    }

    /// <summary>Whether a mask is one of those that are known: by key, by query and key, or the number of keys of each row.</summary>
    private static bool IsPadding(Expansion to, string? mask, int rows) => mask is null
        || to.Shape(mask) is { IsDefault: false } shape && (shape.Length is 2 or 3 || (shape.Length == 1 && shape[0] == rows));

    /// <summary>What is added to the scores of keys that a mask leaves out.</summary>
    private static string Padding(Node node, Expansion to, string mask, int keys)
    {
        var rank = to.Shape(mask).Length;
        if (rank == 1)
        {
            var places = to.Emit("Range", [to.Size(0), to.Size(keys), to.Size(1)]);
            var counts = to.Emit("Unsqueeze", [to.Emit("Cast", [mask], ("to", (long)TensorType.Int64))], ("axes", new[] { 1L }));
            mask = to.Emit("Less", [places, counts]);
        }

        var kept = to.Emit("Cast", [mask], ("to", (long)TensorType.Float));
        var added = to.Emit("Mul", [to.Emit("Sub", [to.Number(1), kept]), to.Number(node.Float("mask_filter_value", -10000))]);
        return to.Emit("Unsqueeze", [added], ("axes", rank == 3 ? new[] { 1L } : [1, 2]));
    }
}
