using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>What one direction of a recurrent layer computes with.</summary>
/// <param name="Inputs">Gates x values.</param>
/// <param name="States">Gates x hidden units.</param>
/// <param name="Biases">Of the inputs, then of the states; null for none.</param>
/// <param name="Peepholes">Three times hidden units; null for none.</param>
internal readonly record struct RecurrentWeights(Tensor Inputs, Tensor States, Tensor? Biases, Tensor? Peepholes)
{
    public long Hidden => States.shape[1];

    public Tensor? InputBiases => Biases?.narrow(0, 0, Biases.shape[0] / 2);

    public Tensor? StateBiases => Biases?.narrow(0, Biases.shape[0] / 2, Biases.shape[0] / 2);
}

/// <summary>One direction of a recurrent layer.</summary>
internal abstract class RecurrentCell
{
    protected Scalar One { get; } = 1;

    /// <summary>Runs over a sequence.</summary>
    /// <param name="x">Time x batch x values.</param>
    /// <param name="weights">Weights of the direction.</param>
    /// <param name="hidden">First state, batch x hidden; null for zeros.</param>
    /// <param name="cell">First cell state of an LSTM; null for zeros.</param>
    /// <param name="reverse">Whether it starts at the end.</param>
    /// <param name="all">Whether the state after every step is wanted.</param>
    /// <returns>The state after every step, in the order of time; the last state; the last cell state of an LSTM.</returns>
    public (Tensor[] Steps, Tensor Hidden, Tensor? Cell) Run(Tensor x, RecurrentWeights weights, Tensor? hidden, Tensor? cell, bool reverse, bool all)
    {
        var inputs = F.linear(x, weights.Inputs, InputBias(weights)).unbind(0);
        long[] shape = [x.shape[1], weights.Hidden];
        var state = (Hidden: hidden ?? zeros(shape, x.dtype, x.device), Cell: cell ?? zeros(shape, x.dtype, x.device));
        var step = Begin(weights);
        var steps = new Tensor[all ? inputs.Length : 0];
        for (var i = 0; i < inputs.Length; i++)
        {
            var time = reverse ? inputs.Length - 1 - i : i;
            using var scope = NewDisposeScope();
            state = step(inputs[time], state.Hidden, state.Cell);
            scope.MoveToOuter(state.Hidden, state.Cell);
            if (all)
            {
                steps[time] = state.Hidden;
            }
        }

        return (steps, state.Hidden, state.Cell);
    }

    /// <summary>The bias added to all steps' products with the inputs; null for none.</summary>
    protected abstract Tensor? InputBias(RecurrentWeights weights);

    /// <summary>The step from the product with the inputs, state and cell state to the next states, which are new tensors or those given.</summary>
    protected abstract Func<Tensor, Tensor, Tensor, (Tensor Hidden, Tensor Cell)> Begin(RecurrentWeights weights);

    protected Tensor? BothBiases(RecurrentWeights weights) => weights.Biases is null ? null : weights.InputBiases!.add(weights.StateBiases!, One);
}

/// <summary>h = f(W x + R h + b).</summary>
internal sealed class RnnCell(Func<Tensor, Tensor> activation) : RecurrentCell
{
    protected override Tensor? InputBias(RecurrentWeights weights) => BothBiases(weights);

    protected override Func<Tensor, Tensor, Tensor, (Tensor Hidden, Tensor Cell)> Begin(RecurrentWeights weights)
    {
        var states = weights.States.t();
        return (inputs, hidden, cell) => (activation(inputs.addmm(hidden, states)), cell);
    }
}

/// <summary>Hochreiter &amp; Schmidhuber 1997, with forget gates and optional peepholes; gates in the order input, output, forget, cell.</summary>
internal sealed class LstmCell(Func<Tensor, Tensor> gate, Func<Tensor, Tensor> input, Func<Tensor, Tensor> output) : RecurrentCell
{
    protected override Tensor? InputBias(RecurrentWeights weights) => BothBiases(weights);

    protected override Func<Tensor, Tensor, Tensor, (Tensor Hidden, Tensor Cell)> Begin(RecurrentWeights weights)
    {
        var (states, size) = (weights.States.t(), weights.Hidden);
        if (weights.Peepholes is { } peepholes)
        {
            var (toInput, toOutput, toForget) = (peepholes.narrow(0, 0, size), peepholes.narrow(0, size, size), peepholes.narrow(0, 2 * size, size));
            return (inputs, hidden, cell) =>
            {
                var parts = inputs.addmm(hidden, states).chunk(4, 1);
                var next = (gate(parts[2].add(toForget * cell, One)) * cell).add(gate(parts[0].add(toInput * cell, One)) * input(parts[3]), One);
                return (gate(parts[1].add(toOutput * next, One)) * output(next), next);
            };
        }

        return (inputs, hidden, cell) =>
        {
            var all = inputs.addmm(hidden, states);
            var gates = gate(all.narrow(1, 0, 3 * size)).chunk(3, 1);
            var next = (gates[2] * cell).add(gates[0] * input(all.narrow(1, 3 * size, size)), One);
            return (gates[1] * output(next), next);
        };
    }
}

/// <summary>Cho et al. 2014; gates in the order update, reset, hidden.</summary>
/// <param name="gate">Activation of the gates.</param>
/// <param name="candidate">Activation of the candidate state.</param>
/// <param name="resetsAfter">Whether the reset gate scales the product with the state, as in PyTorch, rather than the state.</param>
internal sealed class GruCell(Func<Tensor, Tensor> gate, Func<Tensor, Tensor> candidate, bool resetsAfter) : RecurrentCell
{
    protected override Tensor? InputBias(RecurrentWeights weights) => weights.InputBiases;

    protected override Func<Tensor, Tensor, Tensor, (Tensor Hidden, Tensor Cell)> Begin(RecurrentWeights weights)
    {
        var (states, biases, size) = (weights.States, weights.StateBiases, weights.Hidden);
        if (resetsAfter)
        {
            return (inputs, hidden, cell) =>
            {
                var recurrent = F.linear(hidden, states, biases);
                var gates = gate(inputs.narrow(1, 0, 2 * size).add(recurrent.narrow(1, 0, 2 * size), One)).chunk(2, 1);
                var next = candidate(inputs.narrow(1, 2 * size, size).add(gates[1] * recurrent.narrow(1, 2 * size, size), One));
                return (next.add(gates[0] * (hidden - next), One), cell);
            };
        }

        var (gateStates, gateBiases) = (states.narrow(0, 0, 2 * size), biases?.narrow(0, 0, 2 * size));
        var (candidateStates, candidateBiases) = (states.narrow(0, 2 * size, size), biases?.narrow(0, 2 * size, size));
        return (inputs, hidden, cell) =>
        {
            var gates = gate(inputs.narrow(1, 0, 2 * size).add(F.linear(hidden, gateStates, gateBiases), One)).chunk(2, 1);
            var next = candidate(inputs.narrow(1, 2 * size, size).add(F.linear(gates[1] * hidden, candidateStates, candidateBiases), One));
            return (next.add(gates[0] * (hidden - next), One), cell);
        };
    }
}
