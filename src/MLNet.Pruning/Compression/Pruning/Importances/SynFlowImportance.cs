using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Synaptic flow: w dR/dw of the sum R of the outputs for a row of ones, with absolute weights and batch normalisation as the identity, as a share
/// of R (Tanaka et al. 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow"). Needs no rows. The paper's
/// rounds are a schedule: it measures anew before each of 100 geometric steps, so that no layer loses all its weights. Runs in double
/// precision, for the product over many layers leaves the range of floats.
/// </summary>
internal sealed class SynFlowImportance() : CalibratedImportance(nameof(SynFlow))
{
    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        TorchRuntime.Require();
        using var scope = NewDisposeScope();
        var network = context.Network;
        var identities = Identities(network);
        using var graph = new TorchGraph(network, network.Parameters.ToDictionary(parameter => parameter.Name, parameter =>
        {
            using var view = TorchGraph.View(parameter);
            using Scalar constant = identities.GetValueOrDefault(parameter.Name);
            var values = identities.ContainsKey(parameter.Name) ? full_like(view, constant).to(ScalarType.Float64) : view.abs().to(ScalarType.Float64);
            return parameter.Trainable ? new TorchParameter(values) : values;
        }), logits: true);
        var flow = graph.Forward(ones([1, network.RowSize], ScalarType.Float64)).sum();
        context.CancellationToken.ThrowIfCancellationRequested();
        if (flow.requires_grad)
        {
            flow.backward();
        }

        var scores = new Dictionary<string, float[]>();
        foreach (var parameter in network.Parameters.Where(parameter => parameter.Trainable))
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var tensor = graph.Parameters[parameter.Name];
            scores[parameter.Name] = tensor.grad is { } gradient ? TensorValues.Of(gradient.mul(tensor).div(flow).abs()) : new float[parameter.Count];
        }

        return ImportanceScores.OfWeights(Name, scores, context.Masks);
    }

    /// <summary>The values that make batch normalisation pass on what it reads.</summary>
    private static Dictionary<string, double> Identities(Network network)
    {
        var values = new Dictionary<string, double>();
        foreach (var node in network.Nodes.Where(node => node is { Domain: "", Operator: "BatchNormalization" }))
        {
            (values[node.Inputs[1]], values[node.Inputs[2]], values[node.Inputs[3]], values[node.Inputs[4]]) = (1, 0, 0, 1);
        }

        return values;
    }
}
