namespace MLNet.Pruning;

/// <summary>The rows given to a step cannot be trained on, or scored.</summary>
public sealed class TrainingDataException : Exception
{
    internal TrainingDataException(string message, string? column = null, long? row = null) : base(message) => (Column, Row) = (column, row);

    /// <summary>The column at fault; null where it is the rows as a whole.</summary>
    public string? Column { get; }

    /// <summary>Number of the row at fault, from 0; null where it is not a single row.</summary>
    public long? Row { get; }
}
