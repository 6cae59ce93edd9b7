namespace MLNet.Pruning.Data;

/// <summary>Reads what a network reads, without a label, and beside it what its output should be.</summary>
internal static class TargetRows
{
    private const string Advice = "Clean the rows.";

    /// <summary>Reads all rows.</summary>
    /// <param name="view">The rows.</param>
    /// <param name="network">The network they are for.</param>
    /// <param name="inputs">The columns it reads.</param>
    /// <param name="target">Name of the column that holds what its output should be; null for none.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>The rows, and the targets in the same order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type or size.</exception>
    /// <exception cref="TrainingDataException">No rows, or values that are not finite.</exception>
    public static (TrainingData Rows, TrainingData? Targets) Read(IDataView view, Network network, NetworkInputs inputs, string? target,
        CancellationToken cancellation)
    {
        var columns = inputs.Bind(view.Schema, network);
        DataViewSchema.Column? column = target is null ? null : Target(view.Schema, target, network.Output);
        using var cursor = view.GetRowCursor([.. columns, .. column is { } found ? [found] : Array.Empty<DataViewSchema.Column>()]);
        var rows = new TrainingData(network.RowSize);
        var reader = new InputReader(cursor, columns, network, inputs);
        var targets = column is null ? null : new TrainingData(network.Output.RowSize);
        var targetReader = column is { } read ? new InputReader(cursor, [read], network, [network.Output], inputs.Layout) : null;
        for (long i = 0; cursor.MoveNext(); i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Add(rows, reader, network.Inputs, inputs.Columns.Select(one => one.Name), i);
            if (targets is not null)
            {
                Add(targets, targetReader!, [network.Output], [target!], i);
            }
        }

        return rows.Rows > 0 ? (rows, targets) : throw new TrainingDataException("There are no rows to measure on.");
    }

    private static void Add(TrainingData data, InputReader reader, ImmutableArray<TensorInfo> tensors, IEnumerable<string> names, long i)
    {
        var storage = data.Next();
        if ((reader.Read(storage, i) ?? TrainingRows.Problem(storage, tensors, names, i, Advice)) is { } problem)
        {
            throw problem;
        }

        data.Add(0);
    }

    private static DataViewSchema.Column Target(DataViewSchema schema, string name, TensorInfo output)
    {
        var column = NetworkInputs.Find(schema, name, "target");
        return new InputColumn(name, column.Type) is var found && found.ItemType == NumberDataViewType.Single && found.Size == output.RowSize ? column
            : throw NetworkInputs.Mismatch(name, "target", $"Vector<Single, {output.RowSize}>, as large as the network's output '{output.Name}'",
                found.ToString());
    }
}
