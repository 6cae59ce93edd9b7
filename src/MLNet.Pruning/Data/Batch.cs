using static TorchSharp.torch;

namespace MLNet.Pruning.Data;

/// <summary>
/// Pinned storage for the rows of one step that the native side reads in place: gathering a batch is one managed copy and no native call.
/// </summary>
internal sealed class Batch : IDisposable
{
    private readonly TrainingData _data;
    private readonly LearningTask _task;
    private readonly Device _device;
    private readonly float[] _rows;
    private readonly float[] _numbers;
    private readonly long[] _classes;
    private readonly float[] _weights;
    private readonly Tensor _rowTensor;
    private readonly Tensor _targetTensor;
    private readonly Tensor? _weightTensor;

    public Batch(TrainingData data, LearningTask task, int capacity, Device device)
    {
        // More rows than there are never come together.
        capacity = Math.Min(capacity, data.TrainingRows.Length + data.ValidationRows.Length + 1);
        (_data, _task, _device, Capacity) = (data, task, device, capacity);
        _rows = (long)capacity * data.Width <= Array.MaxLength ? GC.AllocateUninitializedArray<float>(capacity * data.Width, pinned: true)
            : throw new ArgumentOutOfRangeException("BatchSize", capacity,
                $"A batch of {capacity:N0} rows of {data.Width:N0} values is larger than the {Array.MaxLength:N0} values that an array holds.");
        _numbers = task.HasOutputPerClass ? [] : GC.AllocateUninitializedArray<float>(capacity, pinned: true);
        _classes = task.HasOutputPerClass ? GC.AllocateUninitializedArray<long>(capacity, pinned: true) : [];
        _weights = data.IsWeighted ? GC.AllocateUninitializedArray<float>(capacity, pinned: true) : [];
        using var scope = NewDisposeScope();
        _weightTensor = data.IsWeighted ? frombuffer(_weights, ScalarType.Float32).DetachFromDisposeScope() : null;
        _rowTensor = frombuffer(_rows, ScalarType.Float32).view(capacity, data.Width).DetachFromDisposeScope();
        _targetTensor = (task.HasOutputPerClass ? frombuffer(_classes, ScalarType.Int64)
            : frombuffer(_numbers, ScalarType.Float32).view(capacity, 1)).DetachFromDisposeScope();
    }

    public int Capacity { get; }

    /// <summary>The given rows as tensors on the device, owned by the caller's dispose scope.</summary>
    /// <param name="rows">Which rows.</param>
    /// <param name="change">Changes them on the way; null leaves them as they are.</param>
    /// <returns>The rows, their targets, and their weights; null where each counts once.</returns>
    public (Tensor Rows, Tensor Targets, Tensor? Weights) Gather(ReadOnlySpan<int> rows, RowChange? change = null)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var room = _rows.AsSpan(i * _data.Width, _data.Width);
            if (change is null)
            {
                _data.Row(rows[i])[.._data.Width].CopyTo(room);
            }
            else
            {
                change(_data.Row(rows[i])[.._data.Width], room);
            }

            if (_task.HasOutputPerClass)
            {
                _classes[i] = (long)_data.Target(rows[i]);
            }
            else
            {
                _numbers[i] = _data.Target(rows[i]);
            }

            if (_weights.Length > 0)
            {
                _weights[i] = _data.Weight(rows[i]);
            }
        }

        return (OnDevice(_rowTensor, rows.Length), OnDevice(_targetTensor, rows.Length),
            _weightTensor is null ? null : OnDevice(_weightTensor, rows.Length));
    }

    public void Dispose()
    {
        _rowTensor.Dispose();
        _targetTensor.Dispose();
        _weightTensor?.Dispose();
    }

    private Tensor OnDevice(Tensor whole, int count) => whole.narrow(0, 0, count).to(_device);
}

/// <summary>Writes a row, changed, to the room for it.</summary>
internal delegate void RowChange(ReadOnlySpan<float> row, Span<float> room);
