using MLNet.Pruning.Networks.Format;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>
/// Recurrent layers over one or two directions, step by step, on the parameters as ONNX lays them out: TorchSharp offers fused ones
/// only as modules, with parameters of their own. All steps' products with the inputs are one.
/// </summary>
internal static class RecurrentOperators
{
    /// <summary>Attributes that change what is computed and are not covered.</summary>
    private static readonly string[] s_refused = ["clip", "activation_alpha", "activation_beta"];

    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        new("LSTM", context => Recurrent(context, ["Sigmoid", "Tanh", "Tanh"], activations => new LstmCell(activations[0], activations[1], activations[2]))),
        new("GRU", context =>
        {
            var resetsAfter = context.Node.Int("linear_before_reset", 0) != 0;
            return Recurrent(context, ["Sigmoid", "Tanh"], activations => new GruCell(activations[0], activations[1], resetsAfter));
        }),
        new("RNN", context => Recurrent(context, ["Tanh"], activations => new RnnCell(activations[0]))),
    ];

    private static Action<Pass> Recurrent(OperatorContext context, string[] standard, Func<Func<Tensor, Tensor>[], RecurrentCell> create)
    {
        var node = context.Node;
        foreach (var attribute in s_refused)
        {
            context.Require(!node.Attributes.ContainsKey(attribute), $"has the attribute {attribute}");
        }

        context.Require(!context.Has(4), "reads the length of every sequence");
        context.Require(node.Int("input_forget", 0) == 0, "couples its gates (input_forget)");
        context.Require(node.Int("layout", 0) == 0, "has the batch before the time (layout 1)");
        var directions = node.Text("direction", "forward") switch
        {
            "forward" => new[] { false },
            "reverse" => [true],
            "bidirectional" => [false, true],
            var other => throw context.Refuse($"goes in the direction '{other}'"),
        };
        var names = node.Attributes.TryGetValue("activations", out var given) ? [.. ((AttributeProto)given).Strings.Select(name => name.ToStringUtf8())]
            : directions.SelectMany(_ => standard).ToArray();
        context.Require(names.Length == directions.Length * standard.Length, $"names {names.Length} activations");
        var cells = names.Select(name => Activation(context, name)).Chunk(standard.Length).Select(create).ToArray();
        var (x, weights, states, biases) = (context.Input(0), context.Input(1), context.Input(2), context.Optional(3));
        var (hidden, cell, peepholes) = (context.Optional(5), context.Optional(6), context.Optional(7));
        var wants = Enumerable.Range(0, 3).Select(i => i < node.Outputs.Length && node.Outputs[i].Length > 0).ToArray();
        return context.ReturnsAll(pass =>
        {
            using var scope = NewDisposeScope();
            var runs = new List<(Tensor[] Steps, Tensor Hidden, Tensor? Cell)>();
            for (var d = 0; d < directions.Length; d++)
            {
                Tensor? Part(int slot) => pass.Find(slot)?.select(0, d);
                runs.Add(cells[d].Run(pass[x], new(Part(weights)!, Part(states)!, Part(biases), Part(peepholes)), Part(hidden), Part(cell), directions[d],
                    wants[0]));
            }

            var outputs = new Tensor[node.Outputs.Length];
            for (var i = 0; i < outputs.Length; i++)
            {
                if (wants[i])
                {
                    outputs[i] = scope.MoveToOuter(i switch
                    {
                        0 => stack(runs.Select(run => stack(run.Steps)), 1),
                        1 => stack(runs.Select(run => run.Hidden)),
                        _ => stack(runs.Select(run => run.Cell!)),
                    });
                }
            }

            return outputs;
        });
    }

    private static Func<Tensor, Tensor> Activation(OperatorContext context, string name)
    {
        switch (name)
        {
            case "Sigmoid":
                return x => x.sigmoid();
            case "Tanh":
                return x => x.tanh();
            case "Relu":
                return x => x.relu();
            case "HardSigmoid":
                Scalar slope = 0.2, half = 0.5, zero = 0, one = 1;
                return x => x.mul(slope).add(half, one).clamp(zero, one);
            default:
                throw context.Refuse($"has the activation '{name}'");
        }
    }
}
