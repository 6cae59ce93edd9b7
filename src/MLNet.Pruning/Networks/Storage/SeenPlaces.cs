using System.Numerics;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>Where in a tensor, looked at as a matrix, values were not the commonest one so far: one in a row or column of many is likely another.</summary>
internal sealed class SeenPlaces
{
    /// <summary>How many densities of rows and columns are told apart.</summary>
    public const int Densities = 24;

    private readonly int _columns;
    private readonly int[] _counts;
    private readonly byte[] _history;
    private readonly byte[] _last;
    private int _row;
    private int _column;
    private int _inRow;
    private int _left;

    /// <param name="count">How many values there are.</param>
    /// <param name="dims">Sizes, the first of which is that of rows.</param>
    public SeenPlaces(int count, IReadOnlyList<long> dims)
    {
        _columns = dims.Count > 1 && dims[0] > 0 ? Math.Max(1, (int)(count / dims[0])) : Math.Max(1, count);
        (_counts, _history, _last) = (new int[_columns], new byte[_columns], new byte[_columns]);
    }

    /// <summary>What the value before was told apart as, in this row; 0 for none.</summary>
    public int Last { get; private set; }

    /// <summary>Likewise in this column.</summary>
    public int LastInColumn => _last[_column];

    /// <summary>The contexts of the next value.</summary>
    public void Describe(Span<int> contexts)
    {
        var (column, row) = (Density(_counts[_column], _row), Density(_inRow, _column));
        var beside = (_column > 0 ? _counts[_column - 1] : 0) + (_column + 1 < _columns ? _counts[_column + 1] : 0);
        var above = (_column > 0 ? _history[_column - 1] & 1 : 0) | (_column + 1 < _columns ? (_history[_column + 1] & 1) << 1 : 0);
        contexts[0] = column;
        contexts[1] = row;
        contexts[2] = (_left & 3) << 4 | (_history[_column] & 3) << 2 | above;
        contexts[3] = column * Densities + row;
        contexts[4] = column << 2 | (_left & 1) << 1 | (_history[_column] & 1);
        contexts[5] = column * Densities + Density(beside, 2 * _row);
        contexts[6] = column * 9 + BitOperations.PopCount((uint)_left & byte.MaxValue);
    }

    /// <summary>Goes on by one value.</summary>
    /// <param name="isOther">Whether it was not the commonest.</param>
    /// <param name="kind">What it is told apart as.</param>
    public void Next(bool isOther, int kind = 0)
    {
        var one = isOther ? 1 : 0;
        _counts[_column] += one;
        _history[_column] = (byte)(_history[_column] << 1 | one);
        _inRow += one;
        _left = _left << 1 | one;
        if (isOther)
        {
            (Last, _last[_column]) = (kind, (byte)kind);
        }

        if (++_column == _columns)
        {
            (_column, _inRow, _left, Last) = (0, 0, 0, 0);
            _row++;
        }
    }

    /// <summary>How many of how many: by how many there were where none was, else by their share in steps of the root of 2.</summary>
    private static int Density(int count, int of) => count == 0 ? Math.Min(7, BitOperations.Log2((uint)of + 1))
        : 8 + Math.Min(15, BitOperations.Log2((uint)Math.Min((long)of * of / count / count, int.MaxValue) + 1));
}
