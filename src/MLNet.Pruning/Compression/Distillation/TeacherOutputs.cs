using System.Collections.Immutable;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>A teacher's logits for all training rows, computed once, and the loss they make.</summary>
internal sealed class TeacherOutputs : IDisposable
{
    private readonly LearningTask _task;
    private readonly Device _device;
    private readonly float[] _logits;
    private readonly int[] _position;
    private readonly int _width;
    private readonly Scalar _share;
    private readonly Scalar _rest;
    private readonly Scalar _cooling;
    private readonly Scalar _one = 1.0;

    /// <exception cref="ArgumentException">The teacher reads rows of another size, or has another number of outputs than the task.</exception>
    public TeacherOutputs(Distillation distillation, Network teacher, TrainingData data, LearningTask task, Device device, int batchSize)
    {
        if (teacher.RowSize != data.Width)
        {
            throw new ArgumentException($"The teacher reads rows of {teacher.RowSize} values, but the student's have {data.Width}.");
        }

        (_task, _device, _width) = (task, device, teacher.Output.RowSize);
        _cooling = task == LearningTask.Regression ? 1 : 1 / distillation.Temperature;
        _share = task == LearningTask.Regression ? distillation.Weight : distillation.Weight * distillation.Temperature * distillation.Temperature;
        _rest = 1 - distillation.Weight;
        _position = new int[data.Rows];
        _logits = Compute(teacher, data, batchSize);
    }

    /// <summary>The loss on labels and that on the teacher's outputs, weighted.</summary>
    /// <param name="hard">The loss on labels.</param>
    /// <param name="logits">Rows x outputs of the student.</param>
    /// <param name="rows">Which rows they are for.</param>
    public Tensor Mix(Tensor hard, Tensor logits, ReadOnlySpan<int> rows)
    {
        if (logits.shape[^1] != _width)
        {
            throw new ArgumentException($"The teacher has {_width} outputs, but the student {logits.shape[^1]}.");
        }

        var values = GC.AllocateUninitializedArray<float>(rows.Length * _width, pinned: true);
        for (var i = 0; i < rows.Length; i++)
        {
            _logits.AsSpan(_position[rows[i]] * _width, _width).CopyTo(values.AsSpan(i * _width));
        }

        var teacher = frombuffer(values, ScalarType.Float32).view(rows.Length, _width).to(_device);
        return hard.mul(_rest).add(Soft(logits, teacher), _share);
    }

    public void Dispose()
    {
        foreach (var scalar in new[] { _share, _rest, _cooling, _one })
        {
            scalar.Dispose();
        }
    }

    private Tensor Soft(Tensor logits, Tensor teacher) => _task switch
    {
        LearningTask.Multiclass => Divergence(logits.mul(_cooling).log_softmax(-1), teacher.mul(_cooling).log_softmax(-1)),
        LearningTask.Binary => BinaryDivergence(logits.mul(_cooling), teacher.mul(_cooling)),
        _ => nn.functional.mse_loss(logits, teacher),
    };

    /// <summary>KL between classes, a mean over rows.</summary>
    private static Tensor Divergence(Tensor student, Tensor teacher)
    {
        using Scalar share = 1.0 / student.shape[0];
        return teacher.exp().mul(teacher.sub(student)).sum().mul(share);
    }

    /// <summary>KL between two Bernoulli distributions: the cross-entropy less the teacher's own entropy.</summary>
    private static Tensor BinaryDivergence(Tensor logits, Tensor teacher)
    {
        var target = teacher.sigmoid();
        return nn.functional.binary_cross_entropy_with_logits(logits, target) - nn.functional.binary_cross_entropy_with_logits(teacher, target);
    }

    private float[] Compute(Network teacher, TrainingData data, int batchSize)
    {
        using var outer = NewDisposeScope();
        using var noGrad = no_grad();
        using var weights = new TrainedWeights(teacher, ImmutableDictionary<string, WeightMask>.Empty, _device);
        using var batch = new Batch(data, _task, batchSize, _device);
        var rows = data.TrainingRows.AsSpan();
        var logits = new float[checked(rows.Length * _width)];
        for (var start = 0; start < rows.Length; start += batch.Capacity)
        {
            using var scope = NewDisposeScope();
            var part = rows.Slice(start, Math.Min(batch.Capacity, rows.Length - start));
            CalibrationRun.Read(weights.Graph.Forward(batch.Gather(part).Rows)).CopyTo(logits.AsSpan(start * _width));
            for (var i = 0; i < part.Length; i++)
            {
                _position[part[i]] = start + i;
            }
        }

        return logits;
    }
}
