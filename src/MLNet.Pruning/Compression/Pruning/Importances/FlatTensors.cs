using System.Numerics.Tensors;
using MLNet.Pruning.Scoring;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Tensors one behind another, as a vector of all their numbers.</summary>
internal sealed class FlatTensors
{
    private readonly int[] _starts;

    public FlatTensors(Tensor[] tensors)
    {
        Tensors = tensors;
        _starts = new int[tensors.Length + 1];
        for (var i = 0; i < tensors.Length; i++)
        {
            _starts[i + 1] = checked(_starts[i] + (int)tensors[i].numel());
        }
    }

    public Tensor[] Tensors { get; }

    /// <summary>Numbers of all of them.</summary>
    public int Length => _starts[^1];

    /// <summary>The place of a tensor among all numbers.</summary>
    public Range Place(int tensor) => _starts[tensor].._starts[tensor + 1];

    /// <summary>Their values as they are now.</summary>
    public float[] Read() => [.. Tensors.SelectMany(TensorValues.Of)];

    /// <summary>Gives them other values.</summary>
    public void Write(ReadOnlySpan<float> values)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (tensor, value) in Tensors.Zip(Split(values)))
        {
            tensor.copy_(value);
        }
    }

    /// <summary>A vector as tensors of their shapes, where they are.</summary>
    public Tensor[] Split(ReadOnlySpan<float> vector)
    {
        var split = new Tensor[Tensors.Length];
        for (var i = 0; i < split.Length; i++)
        {
            split[i] = tensor(vector[Place(i)].ToArray(), [.. Tensors[i].shape], device: Tensors[i].device);
        }

        return split;
    }

    /// <summary>Adds tensors of their shapes, null for zero, to a vector.</summary>
    public void Add(IReadOnlyList<Tensor?> parts, float[] sum)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] is { } part)
            {
                var place = sum.AsSpan(Place(i));
                TensorPrimitives.Add(place, TensorValues.Of(part), place);
            }
        }
    }
}
