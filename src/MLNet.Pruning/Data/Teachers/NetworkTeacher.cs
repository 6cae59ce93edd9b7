using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>A network that teaches: its logits, and tensors within it.</summary>
/// <param name="network">The network, with values.</param>
/// <param name="inputs">The columns it reads; null for those of the student.</param>
/// <param name="view">What else the rows went through before it reads them; null where it reads them as the step gets them.</param>
internal sealed class NetworkTeacher(Network network, NetworkInputs? inputs, IDataView? view = null) : Teacher
{
    internal override Network? Network => network;

    internal override string Identity => NetworkHash.Of(network);

    internal override TeacherSession Bind(TeacherStep step)
    {
        var shares = inputs is null || view is null && inputs.Layout == step.Inputs.Layout && inputs.Columns.SequenceEqual(step.Inputs.Columns);
        var rows = shares ? step.Data : step.Read(view ?? step.View, network, inputs!);
        if (network.RowSize != rows.Width)
        {
            throw new ArgumentException($"The teacher reads rows of {network.RowSize} values, but the student's have {rows.Width}.");
        }

        if (rows.Rows != step.Data.Rows || !rows.LeftOut.SequenceEqual(step.Data.LeftOut))
        {
            throw new ArgumentException($"The teacher and the student read different columns, and {rows.Rows} rows are valid for the one, {step.Data.Rows} "
                + "for the other; clean the rows first.");
        }

        return new Bound(ScoreOutput.Fit(network, step.Task), step, rows, shares);
    }

    /// <inheritdoc/>
    public override string ToString() => $"network of {network.ParameterCount} parameters";

    private sealed class Bound(Network network, TeacherStep step, TrainingData data, bool shares) : TeacherSession
    {
        private readonly TrainedWeights _weights = new(network, ImmutableDictionary<string, WeightMask>.Empty, step.Device);
        private readonly Batch _batch = new(data, step.Task, step.BatchSize + 1, step.Device);

        public override int Outputs => network.Output.RowSize;

        public override Network? Network => network;

        public override bool Shares => shares;

        public override TeacherBatch Run(ReadOnlySpan<int> rows, IReadOnlyCollection<string> reads, Tensor? changed)
        {
            if (changed is not null && !shares)
            {
                throw new NotSupportedException("The teacher reads other columns than the student, so it cannot see the rows as augmentation changes them.");
            }

            using var noGrad = no_grad();
            var tensors = new FeatureTensors(network, reads, "teacher");
            var logits = _weights.Graph.Forward(changed ?? _batch.Gather(rows).Rows, visit: tensors.Visit);
            return new(logits, tensors.Found);
        }

        public override void Dispose()
        {
            _weights.Dispose();
            _batch.Dispose();
        }
    }
}
