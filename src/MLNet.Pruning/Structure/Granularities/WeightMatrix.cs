using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure.Granularities;

/// <summary>A weight seen as a matrix of outputs x inputs: of a convolution, filters x all that a filter reads.</summary>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="IsTransposed">Whether it is stored as inputs x outputs.</param>
internal readonly record struct WeightMatrix(int Rows, int Columns, bool IsTransposed)
{
    /// <summary>Where an entry is stored.</summary>
    public int Place(int row, int column) => IsTransposed ? column * Rows + row : row * Columns + column;

    /// <summary>Null where the weight is no such matrix in storage: stacks of inputs x outputs, transposed convolutions.</summary>
    public static WeightMatrix? Of(Parameter parameter, WeightAxes axes)
    {
        var shape = parameter.Shape;
        if (shape.Length < 2)
        {
            return null;
        }

        if (axes.Output < axes.Input)
        {
            var rows = shape.Take(axes.Input).Aggregate(1, (product, size) => product * size);
            return new(rows, shape.Skip(axes.Input).Aggregate(1, (product, size) => product * size), false);
        }

        return shape.Length == 2 ? new(shape[1], shape[0], true) : null;
    }
}
