namespace MLNet.Pruning.Networks.Operators;

/// <summary>Recurrent layers: time x batch x values in; time x directions x batch x hidden, and the last states, out.</summary>
internal static class RecurrentShapes
{
    public static IEnumerable<Operator> Operators { get; } = [Layer("LSTM", 4), Layer("GRU", 3), Layer("RNN", 1)];

    /// <summary>Weights of what is read and of the state, both biases and peepholes.</summary>
    private static Operator Layer(string name, int gates) => new(name, context => Recurrent(context, gates))
    {
        Trained = [1, 2, 3, 7],
        Weights = [.. new[] { 1, 2 }.Select(input => new WeightOperand(input, 3, (_, _) => new(1, 2, false), (x, _, _) => x.Take(1)))],
    };

    private static ImmutableArray<int>[] Recurrent(ShapeContext context, int gates)
    {
        var (x, w, r) = (context[0], context[1], context[2]);
        context.Require(r.Length == 3, 2, "directions x gates and hidden units x hidden units");
        context.Require(x.Length == 3 && w.Length == 3 && ShapeContext.Fit(x[2], w[2]), 0, $"time x batch x {(w.Length == 3 ? w[2] : 0)} values");
        var hidden = r[2];
        context.Require(context.Node.Int("layout", 0) == 0, 0, "time before the batch (layout 0)");
        context.Require(w[1] == gates * (long)hidden && r[1] == w[1], 1, $"{gates} gates of {hidden} hidden units");
        context.Require(w[0] == (context.Node.Text("direction", "forward") == "bidirectional" ? 2 : 1) && r[0] == w[0], 1,
            "one direction, or two if it is bidirectional");
        context.Number("hidden_size", hidden, hidden, hidden);
        // Biases of both products, states and peepholes; the lengths of sequences come between.
        RequireShape(context, 3, w[0], 2 * w[1]);
        RequireShape(context, 5, w[0], x[1], hidden);
        RequireShape(context, 6, w[0], x[1], hidden);
        RequireShape(context, 7, w[0], 3 * hidden);
        ImmutableArray<int> last = [w[0], x[1], hidden];
        return [[x[0], w[0], x[1], hidden], last, last];
    }

    private static void RequireShape(ShapeContext context, int input, params int[] shape)
    {
        if (context.Has(input))
        {
            context.Require(context[input].Length == shape.Length && context[input].Zip(shape).All(pair => ShapeContext.Fit(pair.First, pair.Second)), input,
                $"a shape of {TensorInfo.Dimensions(shape)}");
        }
    }
}
