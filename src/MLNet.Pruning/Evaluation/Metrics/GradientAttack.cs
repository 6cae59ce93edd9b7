using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using static TorchSharp.torch;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>Moves rows to where the loss of their labels is larger, by the sign of its gradient with respect to them.</summary>
internal sealed class GradientAttack : IRowChange
{
    /// <summary>What rounds, and so has a gradient of 0 wherever it has one.</summary>
    private static readonly FrozenSet<string> s_rounding = FrozenSet.Create("QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger",
        "QLinearMatMul", "QLinearConv", "QLinearAdd", "Round", "Floor", "Ceil", "Sign");

    private readonly LearningTask _task;
    private readonly AttackSteps _steps;
    private readonly TorchGraph _graph;
    private readonly Random? _random;
    private readonly Network _network;

    /// <param name="network">The network, with values.</param>
    /// <param name="task">What its outputs mean; its own loss is the one that rises.</param>
    /// <param name="steps">How far values move.</param>
    /// <exception cref="NotSupportedException">The network rounds.</exception>
    public GradientAttack(Network network, LearningTask task, AttackSteps steps)
    {
        if (network.Nodes.FirstOrDefault(node => s_rounding.Contains(node.Operator)) is { } rounding)
        {
            throw new NotSupportedException($"An attack follows the gradient of the loss, of which node '{rounding.Name}' ({rounding.Operator}) lets none "
                + "through: attack the network before it was quantised.");
        }

        TorchRuntime.Require();
        (_network, _task, _steps, _random) = (network, task, steps, steps.Seed is { } seed ? new(seed) : null);
        using var scope = NewDisposeScope();
        _graph = TorchGraph.ForScoring(network);
        foreach (var parameter in _graph.Parameters.Values)
        {
            parameter.DetachFromDisposeScope();
        }
    }

    public void Change(Span<float> rows, ReadOnlySpan<float> labels)
    {
        using var threads = new TorchThreads(TorchThreads.Worth(_network, labels.Length));
        using var scope = NewDisposeScope();
        using var differentiated = enable_grad();
        var start = rows.ToArray();
        var moved = (float[])start.Clone();
        for (var i = 0; _random is not null && i < moved.Length; i++)
        {
            moved[i] = Bounded(start[i] + (float)(_steps.Epsilon * (2 * _random.NextDouble() - 1)), start[i]);
        }

        var targets = _task.HasOutputPerClass ? tensor(Array.ConvertAll(labels.ToArray(), label => (long)label)) : tensor(labels.ToArray()).view(-1, 1);
        for (var step = 0; step < _steps.Iterations; step++)
        {
            var gradient = Gradient(moved, targets, labels.Length);
            for (var i = 0; i < moved.Length; i++)
            {
                var sign = float.IsNaN(gradient[i]) ? 0 : Math.Sign(gradient[i]);
                moved[i] = Bounded(moved[i] + (float)_steps.Step * sign, start[i]);
            }
        }

        moved.CopyTo(rows);
    }

    public void Dispose() => _graph.Dispose();

    private float[] Gradient(float[] rows, Tensor targets, int count)
    {
        using var scope = NewDisposeScope();
        var input = tensor(rows).view(count, -1).requires_grad_(true);
        // A mean over the batch divides the gradients of all rows alike: their signs stay.
        using var loss = LossFunction.Mean(_task.Losses[0], _graph.Forward(input), targets);
        if (!loss.requires_grad)
        {
            throw new NotSupportedException("An attack follows the gradient of the loss, and none leads from the network's output to its input.");
        }

        loss.backward();
        return TensorValues.Of(input.grad!);
    }

    private float Bounded(float value, float start)
    {
        var near = Math.Clamp(value, start - (float)_steps.Epsilon, start + (float)_steps.Epsilon);
        return _steps.Range is { } range ? Math.Clamp(near, range.Low, range.High) : near;
    }
}

/// <summary>How far an attack moves values.</summary>
/// <param name="Epsilon">At most.</param>
/// <param name="Step">In a step.</param>
/// <param name="Iterations">Steps.</param>
/// <param name="Seed">Seed of random places to start from; null to start from the rows.</param>
/// <param name="Range">The range that values are kept in; null for any.</param>
internal sealed record AttackSteps(double Epsilon, double Step, int Iterations, int? Seed, (float Low, float High)? Range);
