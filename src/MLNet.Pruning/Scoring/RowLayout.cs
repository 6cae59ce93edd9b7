using MLNet.Pruning.Scoring.Operators;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring;

/// <summary>Where the inputs of a network lie in rows of floats that hold the values of all of them, one after another.</summary>
internal sealed class RowLayout
{
    private readonly (TensorInfo Info, ScalarType Type, int Slot, int Start, int Width)[] _inputs;
    private readonly int _width;
    private readonly bool _isOpen;

    /// <param name="network">The network.</param>
    /// <param name="slot">Where an input goes.</param>
    /// <exception cref="NotSupportedException">Rows cannot be cut into the inputs.</exception>
    /// <exception cref="InvalidOperationException">An input's rows have no fixed number of values, and it is not the only one.</exception>
    public RowLayout(Network network, Func<string, int> slot)
    {
        var inputs = new List<(TensorInfo, ScalarType, int, int, int)>();
        foreach (var input in network.Inputs)
        {
            if (!input.IsKnown || input.Shape.Length == 0 || OperatorContext.ElementType(input.Type) is not { } type)
            {
                throw new NotSupportedException($"The network reads '{input}' of type {input.Type}, which is not a batch of rows of numbers of a known shape: "
                    + "it cannot be run.");
            }

            // Alone, an input may leave one more dimension open: the rows' width tells it.
            _isOpen = network.Inputs.Length == 1 && input.Shape.Skip(1).Count(size => size < 0) == 1;
            var width = _isOpen ? input.Shape.Skip(1).Where(size => size >= 0).Aggregate(1, (product, size) => checked(product * size)) : input.RowSize;
            if (_isOpen && width == 0)
            {
                throw new NotSupportedException($"The network reads '{input}', which holds no values: the open size cannot be determined from rows.");
            }

            inputs.Add((input, type, slot(input.Name), _width, width));
            _width = checked(_width + width);
        }

        _inputs = [.. inputs];
    }

    /// <summary>Writes each input's part of the rows, in its shape and type, to its slot.</summary>
    /// <exception cref="ArgumentException">The rows do not fit.</exception>
    public void Cut(Tensor rows, Pass pass)
    {
        var (count, width) = (rows.shape[0], rows.shape[1]);
        if (_isOpen ? width % _width != 0 : width != _width)
        {
            throw new ArgumentException($"The rows have {width} values; the network reads {(_isOpen ? "a multiple of " : "")}{_width}: "
                + $"{string.Join(", ", _inputs.Select(input => input.Info))}.", nameof(rows));
        }

        foreach (var (info, type, slot, start, size) in _inputs)
        {
            if (info.Shape[0] >= 0 && info.Shape[0] != count)
            {
                throw new ArgumentException($"The network reads '{info}', {info.Shape[0]} rows at a time, but got {count}.", nameof(rows));
            }

            var part = _inputs.Length == 1 ? rows : rows.narrow(1, start, size);
            if (info.Shape.Length != 2)
            {
                part = part.reshape([count, .. info.Shape.Skip(1).Select(dimension => dimension < 0 ? -1L : dimension)]);
            }

            pass[slot] = type == ScalarType.Float32 ? part : part.to(type);
        }
    }
}
