using static TorchSharp.torch;

namespace MLNet.Pruning.Data;

/// <summary>
/// Pinned storage for the rows of one step that the native side reads in place: gathering a batch is one managed copy and no native call. A GPU has all rows
/// in its own memory, where it is asked for and they are not too many, and gathers them there.
/// </summary>
internal sealed class Batch : IDisposable
{
    /// <summary>Values of rows that a GPU keeps: a gigabyte of them.</summary>
    private const long MostResident = 1L << 28;

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
    private readonly (Tensor Rows, Tensor Targets, Tensor? Weights)? _resident;

    /// <param name="data">The rows.</param>
    /// <param name="task">What their targets mean.</param>
    /// <param name="capacity">Rows at a time, at most.</param>
    /// <param name="device">Where they are wanted.</param>
    /// <param name="stays">Whether they are wanted again and again, so that a GPU may keep them.</param>
    public Batch(TrainingData data, LearningTask task, int capacity, Device device, bool stays = false)
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
        if (stays && device.type == TorchSharp.DeviceType.CUDA && (long)data.Rows * data.Width <= MostResident)
        {
            _resident = Upload();
        }
    }

    public int Capacity { get; }

    /// <summary>The given rows as tensors on the device, owned by the caller's dispose scope.</summary>
    /// <param name="rows">Which rows.</param>
    /// <param name="change">Changes them on the way; null leaves them as they are.</param>
    /// <returns>The rows, their targets, and their weights; null where each counts once.</returns>
    public (Tensor Rows, Tensor Targets, Tensor? Weights) Gather(ReadOnlySpan<int> rows, RowChange? change = null)
    {
        if (change is null && _resident is { } all)
        {
            using var chosen = tensor(rows.ToArray(), ScalarType.Int32, _device);
            return (all.Rows.index_select(0, chosen), all.Targets.index_select(0, chosen), all.Weights?.index_select(0, chosen));
        }

        return Copy(rows, change);
    }

    public void Dispose()
    {
        _rowTensor.Dispose();
        _targetTensor.Dispose();
        _weightTensor?.Dispose();
        if (_resident is { } all)
        {
            all.Rows.Dispose();
            all.Targets.Dispose();
            all.Weights?.Dispose();
        }
    }

    private (Tensor Rows, Tensor Targets, Tensor? Weights) Copy(ReadOnlySpan<int> rows, RowChange? change)
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

    private (Tensor Rows, Tensor Targets, Tensor? Weights) Upload()
    {
        using var scope = NewDisposeScope();
        var parts = Enumerable.Range(0, _data.Rows).Chunk(Capacity).Select(rows => Copy(rows, null)).ToArray();
        return (cat([.. parts.Select(part => part.Rows)]).DetachFromDisposeScope(), cat([.. parts.Select(part => part.Targets)]).DetachFromDisposeScope(),
            _weightTensor is null ? null : cat([.. parts.Select(part => part.Weights!)]).DetachFromDisposeScope());
    }

    private Tensor OnDevice(Tensor whole, int count) => whole.narrow(0, 0, count).to(_device);
}

/// <summary>Writes a row, changed, to the room for it.</summary>
internal delegate void RowChange(ReadOnlySpan<float> row, Span<float> room);
