using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Threading;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Optimal brain surgeon with blocks of consecutive weights along the diagonal of the empirical Fisher information (Singh &amp; Alistarh 2020, "WoodFisher:
/// Efficient Second-Order Approximation for Neural Network Compression", section 3). The paper builds the inverse of a block row by row with Woodbury's
/// identity; here the blocks are summed up and inverted, which comes to the same.
/// </summary>
internal sealed class WoodFisherImportance : CalibratedImportance
{
    /// <summary>Rows whose gradients are held before they are multiplied.</summary>
    private const int RowsHeld = 32;

    private readonly int _rows;
    private readonly int _blockSize;
    private readonly double _damping;

    public WoodFisherImportance(int rows, double damping, int blockSize) : base(nameof(WoodFisher), rows, damping, blockSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        (_rows, _blockSize) = (Rows(rows), blockSize);
        _damping = damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        using var scope = NewDisposeScope();
        var parameters = run.Parameters.Where(parameter => context.Measures(parameter.Name)).ToArray();
        int Size(Tensor values) => Math.Min(_blockSize, (int)values.numel());
        // The gradients of some rows, and the blocks, which are read as arrays at the end.
        MemoryBound.Check(context, Name, parameters.Sum(parameter => sizeof(float) * (parameter.Values.numel() + Size(parameter.Values))
            * (RowsHeld + 2L * Size(parameter.Values))));
        var weights = Array.ConvertAll(parameters, parameter => new Blocks(parameter.Name, parameter.Values, Size(parameter.Values)));
        var held = 0;
        run.ForEachBatch((rows, targets, share) =>
        {
            run.ClearGradients();
            run.Loss(rows, targets).backward();
            Array.ForEach(weights, weight => weight.Hold(held, Math.Sqrt(share)));
            if (++held == RowsHeld)
            {
                Array.ForEach(weights, weight => weight.Add(held));
                held = 0;
            }
        }, 1);
        Array.ForEach(weights, weight => weight.Add(held));
        var measured = weights.ToDictionary(weight => weight.Name, weight => weight.Read(_damping, context.CancellationToken));
        var scores = measured.ToDictionary(weight => weight.Key, weight => weight.Value.Score(context.Network[weight.Key].Values.ToArray()));
        return ImportanceScores.OfWeights(Name, scores, context.Masks).WithChange(pruned => pruned.Weights.Graph != context.Pruned.Weights.Graph ? pruned
            : pruned.WithWeights(pruned.Weights.WithParameters(pruned.Masks.Where(mask => measured.ContainsKey(mask.Key) && mask.Value.Kept < mask.Value.Count)
                .Select(mask => context.Network[mask.Key].WithValues(measured[mask.Key].Compensate(context.Network[mask.Key].Values.ToArray(), mask.Value)))
                .ToArray())));
    }

    /// <summary>The blocks of a weight, summed up where the network runs.</summary>
    private sealed class Blocks
    {
        private readonly Tensor _values;
        private readonly Tensor _held;
        private readonly Tensor _sum;
        private readonly int _size;
        private readonly int _count;

        public Blocks(string name, Tensor values, int size)
        {
            (Name, _values, _size, _count) = (name, values, size, (int)values.numel());
            var blocks = (_count + size - 1) / size;
            (_held, _sum) = (zeros([RowsHeld, blocks * (long)size], device: values.device), zeros([blocks, size, size], device: values.device));
        }

        public string Name { get; }

        /// <summary>Takes in the gradient of a row.</summary>
        public void Hold(int place, double factor)
        {
            using var scope = NewDisposeScope();
            using TorchSharp.Scalar share = factor;
            var row = _held[place].slice(0, 0, _count, 1);
            if (_values.grad is { } gradient)
            {
                row.copy_(gradient.reshape(-1).mul(share));
            }
            else
            {
                row.zero_();
            }
        }

        /// <summary>Adds up what was taken in.</summary>
        public void Add(int rows)
        {
            if (rows == 0)
            {
                return;
            }

            using var scope = NewDisposeScope();
            using TorchSharp.Scalar one = 1.0;
            var gradients = _held.slice(0, 0, rows, 1).view(rows, -1, _size).permute(1, 2, 0);
            _sum.add_(gradients.matmul(gradients.mT), one);
        }

        public BlockMoments Read(double damping, CancellationToken cancellation)
        {
            var blocks = new float[_sum.shape[0]][];
            var trace = 0.0;
            for (var block = 0; block < blocks.Length; block++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                blocks[block] = TensorValues.Of(_sum[block]);
                for (var i = 0; i < _size; i++)
                {
                    trace += blocks[block][i * _size + i];
                }
            }

            return new(blocks, _size, _count, damping * (trace > 0 ? trace / _count : 1), cancellation);
        }
    }

    /// <summary>The blocks of a weight.</summary>
    /// <param name="blocks">Row-major; the last may be longer than what is left of the weight.</param>
    /// <param name="size">Rows of a block.</param>
    /// <param name="count">Weights.</param>
    /// <param name="ridge">Added to the diagonal.</param>
    /// <param name="cancellation">Ends it.</param>
    private sealed class BlockMoments(float[][] blocks, int size, int count, double ridge, CancellationToken cancellation)
    {
        public float[] Score(float[] weights)
        {
            var scores = new float[count];
            PartLoop.Run(blocks.Length, block =>
            {
                var inverse = Inverse(Moments(block));
                for (var i = 0; i < inverse.Length; i++)
                {
                    var weight = block * size + i;
                    scores[weight] = (float)(0.5 * weights[weight] * weights[weight] / inverse[i][i]);
                }
            }, cancellation);
            return scores;
        }

        /// <summary>The weights that stay, changed so that the loss rises least; zeros for the others.</summary>
        public float[] Compensate(float[] weights, WeightMask mask)
        {
            var values = mask.Apply(weights);
            PartLoop.Run(blocks.Length, block =>
            {
                var (moments, start) = (Moments(block), block * size);
                bool[] kept = [.. Enumerable.Range(start, moments.Length).Select(weight => mask[weight])];
                if (!kept.Contains(false))
                {
                    return;
                }

                double[] row = [.. Enumerable.Range(start, moments.Length).Select(weight => (double)weights[weight])];
                SurgeonLayer.Solver(moments, Inverse(moments), kept, cancellation)(row);
                for (var i = 0; i < row.Length; i++)
                {
                    values[start + i] = kept[i] ? (float)row[i] : 0;
                }
            }, cancellation);
            return values;
        }

        private double[][] Moments(int block)
        {
            var (values, length) = (blocks[block], Math.Min(size, count - block * size));
            return [.. Enumerable.Range(0, length).Select(i =>
            {
                var row = Array.ConvertAll(values[(i * size)..(i * size + length)], value => (double)value);
                row[i] += ridge;
                return row;
            })];
        }

        private double[][] Inverse(double[][] moments) => PositiveDefinite.Invert(PositiveDefinite.Factor(moments, cancellation), cancellation);
    }
}
