using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// How much the mean loss over the calibration rows rises when a weight or structure goes, measured: it is taken out and the rows are run. Exact for
/// each weight or structure alone; negative for one that does harm. Weights, slices, groups and blocks. Cost: a forward pass over all rows a weight or
/// structure, so that it is for small networks or large structures.
/// </summary>
internal sealed class LossChangeImportance(int rows) : CalibratedImportance(nameof(LossChange), rows)
{
    private readonly int _rows = Rows(rows);

    protected override ImportanceScores MeasureCore(ImportanceContext context) => new Measured(context, Name, _rows);

    private sealed class Measured(ImportanceContext context, string name, int rows) : ImportanceScores
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<(string Parameter, int Structures), double[]> _known = [];
        private readonly double _before = Loss(context, name, rows, context.Network);

        private protected override void Weights(Parameter parameter, int start, Span<float> scores)
        {
            var changes = Known(parameter, -1);
            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = (float)changes[start + i];
            }
        }

        private protected override void Slices(Parameter parameter, int dimension, Span<double> scores) => Known(parameter, dimension).CopyTo(scores);

        public override string ToString() => name;

        internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores)
            => Known(parameter, ~structures.Count, () => Measure(parameter.Name, structures.Count, Structures(structures.Runs))).CopyTo(scores);

        internal override double? ScoreRemoval(Func<Network> without) => Loss(context, name, rows, without()) - _before;

        /// <summary>What the loss rises by without each slice along a dimension; without each weight for dimension -1.</summary>
        private double[] Known(Parameter parameter, int dimension) => Known(parameter, dimension, () => dimension < 0
            ? Measure(parameter.Name, parameter.Count, Enumerable.Range(0, parameter.Count).Select(i => (i, new[] { (i, 1) }.AsEnumerable())))
            : Measure(parameter.Name, parameter.Shape[dimension], Structures(SliceRuns.Of(parameter.Shape, dimension))));

        private double[] Known(Parameter parameter, int structures, Func<double[]> measure)
        {
            lock (_lock)
            {
                return _known.TryGetValue((parameter.Name, structures), out var known) ? known : _known[(parameter.Name, structures)] = measure();
            }
        }

        private static IEnumerable<(int Structure, IEnumerable<(int Start, int Length)> Runs)> Structures(IEnumerable<(int Structure, int Start,
            int Length)> runs)
            => runs.GroupBy(run => run.Structure, run => (run.Start, run.Length)).Select(structure => (structure.Key, structure.AsEnumerable()));

        private double[] Measure(string parameter, int count, IEnumerable<(int Structure, IEnumerable<(int Start, int Length)> Runs)> structures)
        {
            var network = context.Network;
            var values = network[parameter].Values;
            var changes = new double[count];
            foreach (var (structure, runs) in structures)
            {
                var without = values.ToArray();
                foreach (var (start, length) in runs)
                {
                    without.AsSpan(start, length).Clear();
                }

                changes[structure] = values.SequenceEqual(without) ? 0 : Loss(context, name, rows, network.With(parameter, without)) - _before;
            }

            return changes;
        }

        private static double Loss(ImportanceContext context, string name, int rows, Network network)
        {
            using var run = context.Of(network).Start(name, rows);
            using var noGrad = no_grad();
            var loss = 0.0;
            run.ForEachBatch((features, targets, share) => loss += share * LossFunction.Value(run.Loss(features, targets)));
            return loss;
        }
    }
}
