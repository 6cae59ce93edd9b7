using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Recurrent layers: time x batch x values in; time x directions x batch x hidden, and the last states, out.</summary>
internal static class RecurrentShapes
{
    public static IEnumerable<KeyValuePair<string, ShapeInference.Rule>> Rules { get; } =
        [new("LSTM", context => Recurrent(context, 4)), new("GRU", context => Recurrent(context, 3)), new("RNN", context => Recurrent(context, 1))];

    private static ImmutableArray<int>[] Recurrent(ShapeContext context, int gates)
    {
        var (x, w, r) = (context[0], context[1], context[2]);
        context.Require(x.Length == 3 && w.Length == 3 && ShapeContext.Fit(x[2], w[2]), 0, $"time x batch x {(w.Length == 3 ? w[2] : 0)} values");
        var hidden = r[2];
        context.Require(context.Node.Int("layout", 0) == 0, 0, "time before the batch (layout 0)");
        context.Require(w[1] == gates * hidden && r[1] == gates * hidden, 1, $"{gates} gates of {hidden} hidden units");
        ImmutableArray<int> last = [w[0], x[1], hidden];
        return [[x[0], w[0], x[1], hidden], last, last];
    }
}
