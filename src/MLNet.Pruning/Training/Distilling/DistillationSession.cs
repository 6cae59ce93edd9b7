using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>
/// A teacher in one step of a chain, for all its trainings. What it says of a row is computed once and kept, but for rows that augmentation
/// changes, which it sees anew in every step.
/// </summary>
internal sealed class DistillationSession(Distillation distillation, TeacherSession teacher, TeacherStep step) : IDisposable
{
    private readonly string[] _reads = [.. distillation.Terms.SelectMany(term => term.TeacherReads).Distinct()];
    private RowStore? _kept;
    private int[] _position = [];

    /// <summary>What is kept of a row: the logits, then each term's target; null for terms without.</summary>
    private long[]?[] _shapes = [];

    public Distillation Distillation => distillation;

    public TeacherSession Teacher => teacher;

    public LearningTask Task => step.Task;

    /// <summary>The teacher's network, where it reads what the student reads.</summary>
    public Network? Shared => teacher.Shares ? teacher.Network : null;

    /// <summary>The teacher's logits and the terms' targets for rows.</summary>
    /// <param name="rows">Rows to train on.</param>
    /// <param name="changed">Those rows as augmentation changed them; null where they are as they were.</param>
    public (Tensor Logits, Tensor?[] Targets) Of(ReadOnlySpan<int> rows, Tensor? changed)
    {
        var outputs = changed is null && !teacher.IsKept ? Kept(rows) : Ask(rows, changed);
        return (outputs[0]!, outputs[1..]);
    }

    public void Dispose()
    {
        teacher.Dispose();
        _kept?.Dispose();
    }

    private Tensor?[] Ask(ReadOnlySpan<int> rows, Tensor? changed)
    {
        using var noGrad = no_grad();
        var batch = teacher.Run(rows, _reads, changed);
        return [batch.Logits, .. distillation.Terms.Select(term => term.Target(teacher.Network, batch))];
    }

    private Tensor?[] Kept(ReadOnlySpan<int> rows)
    {
        if (_kept is null)
        {
            Keep();
        }

        var sizes = Array.ConvertAll(_shapes, Size);
        var width = sizes.Sum();
        var values = GC.AllocateUninitializedArray<float>(rows.Length * width, pinned: true);
        for (var i = 0; i < rows.Length; i++)
        {
            _kept!.Read(_position[rows[i]], values.AsSpan(i * width, width));
        }

        var all = frombuffer(values, ScalarType.Float32).view(rows.Length, width).to(step.Device);
        var parts = new Tensor?[sizes.Length];
        for (int i = 0, start = 0; i < sizes.Length; start += sizes[i++])
        {
            parts[i] = _shapes[i] is { } shape ? all.narrow(1, start, sizes[i]).reshape([rows.Length, .. shape]) : null;
        }

        return parts;
    }

    private void Keep()
    {
        using var outer = NewDisposeScope();
        var rows = step.Data.TrainingRows.AsSpan();
        _position = new int[step.Data.Rows];
        for (var start = 0; start < rows.Length; start += step.BatchSize)
        {
            using var scope = NewDisposeScope();
            var part = rows.Slice(start, Math.Min(step.BatchSize, rows.Length - start));
            var outputs = Ask(part, null);
            _shapes = Array.ConvertAll(outputs, tensor => tensor?.shape[1..]);
            _kept ??= new(rows.Length, _shapes.Sum(Size), distillation.MemoryLimit);
            var count = part.Length;
            _kept.Write(start, TensorValues.Of(cat([.. outputs.OfType<Tensor>().Select(tensor => tensor.reshape(count, -1))], 1)));
            for (var i = 0; i < part.Length; i++)
            {
                _position[part[i]] = start + i;
            }
        }
    }

    private static int Size(long[]? shape) => shape is null ? 0 : (int)shape.Aggregate(1L, (product, size) => product * size);
}
