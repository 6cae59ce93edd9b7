namespace MLNet.Pruning.Networks.Operators;

/// <summary>Products of matrices.</summary>
internal static class ProductShapes
{
    public static IEnumerable<Operator> Operators { get; } =
    [
        new("Gemm", Gemm)
        {
            Trained = [1, 2],
            Weights = [new(1, 2, (node, _) => node.Int("transB", 0) == 0 ? new(1, 0, false) : new(0, 1, false), (_, y, _) => y.SkipLast(1))
            {
                Product = new(0, node => node.Int("transA", 0) == 1 ? 0 : 1, 1),
            }],
        },
        new("MatMul", MatMul)
        {
            Trained = [0, 1],
            Zeros = Zeros.OfAny,
            // A weight of one dimension makes a single value of each row.
            Weights =
            [
                new(1, 1, (_, rank) => rank == 1 ? new(0, 0, false) : new(rank - 1, rank - 2, false), (_, y, rank) => y.SkipLast(rank == 1 ? 0 : 1))
                {
                    Product = new(0, _ => -1, -1),
                },
                new(0, 1, (_, rank) => rank == 1 ? new(0, 0, false) : new(rank - 2, rank - 1, false),
                    (_, y, rank) => rank == 1 ? y : y.SkipLast(2).Append(y[^1]))
                {
                    Product = new(1, _ => -2, -2),
                },
            ],
        },
        new("Einsum", Einsum),
    ];

    private static ImmutableArray<int>[] Gemm(ShapeContext context)
    {
        var (x, weight) = (context[0], context[1]);
        var (transA, transB) = (context.Node.Int("transA", 0) == 1, context.Node.Int("transB", 0) == 1);
        context.Require(weight.Length == 2, 1, "two dimensions");
        context.Require(x.Length == 2 && ShapeContext.Fit(x[transA ? 0 : 1], weight[transB ? 1 : 0]), 0, $"{weight[transB ? 1 : 0]} values in a row");
        ImmutableArray<int> output = [x[transA ? 1 : 0], weight[transB ? 0 : 1]];
        if (context.Has(2))
        {
            var bias = context[2];
            context.Require(bias.Length <= 2 && bias.Reverse().Zip(output.Reverse()).All(pair => pair.First == 1 || ShapeContext.Fit(pair.First, pair.Second)),
                2,
                $"a shape that goes with {TensorInfo.Dimensions(output)}");
        }

        return [output];
    }

    private static ImmutableArray<int>[] MatMul(ShapeContext context)
    {
        var (a, b) = (context[0], context[1]);
        context.Require(a.Length >= 1 && b.Length >= 1 && ShapeContext.Fit(a[^1], b[b.Length == 1 ? 0 : b.Length - 2]), 0,
            $"as many columns as the other has rows, of {TensorInfo.Dimensions(b)}");
        var rank = Math.Max(a.Length, b.Length);
        var batch = new List<int>();
        for (var i = rank; i > 2; i--)
        {
            var (x, y) = (a.Length >= i ? a[a.Length - i] : 1, b.Length >= i ? b[b.Length - i] : 1);
            context.Require(x == 1 || y == 1 || ShapeContext.Fit(x, y), 0, $"leading dimensions that go with those of the other, {TensorInfo.Dimensions(b)}");
            batch.Add(x == 1 ? y : y == 1 || y < 0 ? x : y);
        }

        return [[.. batch, .. a.Length > 1 ? [a[^2]] : ImmutableArray<int>.Empty, .. b.Length > 1 ? [b[^1]] : ImmutableArray<int>.Empty]];
    }

    private static ImmutableArray<int>[] Einsum(ShapeContext context)
    {
        var equation = context.Node.Text("equation", "");
        var parsed = EinsumEquation.Parse(equation, [.. Enumerable.Range(0, context.Count).Select(i => context[i].Length)]);
        context.Require(parsed is not null, 0, $"dimensions that go with the equation {equation}");
        var (operands, output) = parsed!.Value;
        var sizes = new Dictionary<char, int>();
        for (var i = 0; i < operands.Length; i++)
        {
            foreach (var (label, size) in operands[i].Zip(context[i]))
            {
                // Those behind three dots broadcast.
                context.Require(!sizes.TryGetValue(label, out var other) || other == 1 || size == 1 || ShapeContext.Fit(other, size), i,
                    $"dimensions of the same letter of one size in {equation}");
                sizes[label] = sizes.GetValueOrDefault(label, 1) is var known && known == 1 ? size : known;
            }
        }

        context.Require(output.All(sizes.ContainsKey), 0, $"a letter of the result in an operand of {equation}");
        return [[.. output.Select(label => sizes[label])]];
    }
}
