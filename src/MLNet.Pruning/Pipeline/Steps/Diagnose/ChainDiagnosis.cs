using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Pipeline.Steps.Diagnose;

/// <summary>What a chain costs around its last network.</summary>
internal static class ChainDiagnosis
{
    /// <summary>Less than this share of scoring rows is what any chain has.</summary>
    private const double LeastOfRows = 0.25;

    /// <summary>Rows that scoring is timed on, at most.</summary>
    private const int MostRows = 2048;

    /// <summary>Networks that a later step superseded, which a file of the chain holds all the same.</summary>
    public static IEnumerable<DiagnosisFinding> Superseded(ITransformer model, DiagnosisOptions options)
    {
        NeuralNetworkTransformer[] networks = [.. NetworkChains.Flatten(model).OfType<NeuralNetworkTransformer>()];
        var kept = NetworkChains.Flatten(CompressionExtensions.Compact(model)).ToHashSet();
        var bytes = Array.ConvertAll(networks, network => (double)OnnxWriter.Write(network.Network).CalculateSize());
        FindingPlace[] superseded = [.. networks.Index().Where(network => !kept.Contains(network.Item)).Select(network => new FindingPlace(
            string.Create(CultureInfo.InvariantCulture, $"network {network.Index + 1} of {networks.Length}"), bytes[network.Index] / bytes.Sum()))];
        var share = superseded.Sum(network => network.Share);
        if (options.Asks(FindingKind.SupersededNetworks) && superseded.Length > 0 && share >= options.MinimumShare)
        {
            yield return new(FindingKind.SupersededNetworks, superseded, share,
                "later steps of the chain hide the scores of these networks. They are never run, but saved with the chain.",
                "Save what is left: ml.Model.Save(model.Compact(), schema, path).");
        }
    }

    /// <summary>What of scoring rows is spent on reading them, and in the transforms before and after the network.</summary>
    /// <param name="steps">The chain.</param>
    /// <param name="network">Where in it the last network is.</param>
    /// <param name="data">The rows.</param>
    /// <param name="options">What is looked for.</param>
    /// <exception cref="TrainingDataException">There are no rows.</exception>
    public static IEnumerable<DiagnosisFinding> Outside(ITransformer[] steps, int network, IDataView data, DiagnosisOptions options)
    {
        if (!options.Asks(FindingKind.ReadingRows) && !options.Asks(FindingKind.OtherTransforms))
        {
            yield break;
        }

        var views = new List<IDataView> { data };
        views.AddRange(steps.Select(step => step.Transform(views[^1])));
        var needed = Needed(steps, network, views);
        var times = TurnTimes.Of([.. views.Zip(needed, (view, columns) => (Action)(() => Read(view, columns, options.CancellationToken)))],
            options.CancellationToken);
        var whole = Enumerable.Range(0, views.Count).Max(times.Least);
        var reading = times.Least(0) / whole;
        if (options.Asks(FindingKind.ReadingRows) && reading >= Math.Max(LeastOfRows, options.MinimumShare))
        {
            yield return new(FindingKind.ReadingRows, [], reading, "the rows are parsed, or computed by what they come from, each time that they are scored.",
                "Where the same rows are scored again: ml.Data.Cache(data). Else a source that takes less parsing, such as ml.Data.SaveAsBinary writes.");
        }

        // A view's time has that of the views before it.
        FindingPlace[] others = [.. steps.Index().Where(step => step.Index != network).Select(step => new FindingPlace(
            string.Create(CultureInfo.InvariantCulture, $"{step.Index + 1}: {step.Item.GetType().Name}"),
            Math.Clamp((times.Least(step.Index + 1) - times.Least(step.Index)) / whole, 0, 1)))];
        var share = others.Sum(place => place.Share);
        if (options.Asks(FindingKind.OtherTransforms) && share >= Math.Max(LeastOfRows, options.MinimumShare))
        {
            yield return new(FindingKind.OtherTransforms, others.Where(place => place.Share > 0), share,
                "the chain's other transforms take this part of scoring a row; a smaller network does not change it.",
                "Compute what does not change with the row beforehand, leave out columns that nothing reads, or give the network the columns as they are.");
        }
    }

    /// <summary>Of each view the columns that what comes out of the chain depends on.</summary>
    private static DataViewSchema.Column[][] Needed(ITransformer[] steps, int network, List<IDataView> views)
    {
        var needed = new DataViewSchema.Column[views.Count][];
        // What the network and the steps behind it append.
        var before = views[network].Schema;
        var made = views[network + 1].Schema.Skip(before.Count).Select(column => column.Name).ToHashSet();
        needed[^1] = [.. views[^1].Schema.Where(column => !column.IsHidden && (made.Contains(column.Name) || before.GetColumnOrNull(column.Name) is null))];
        for (var i = steps.Length - 1; i >= 0; i--)
        {
            if (!steps[i].IsRowToRowMapper)
            {
                needed[i] = [.. views[i].Schema.Where(column => !column.IsHidden)];
                continue;
            }

            var mapper = steps[i].GetRowToRowMapper(views[i].Schema);
            var own = needed[i + 1].Select(column => column.Index).ToHashSet();
            needed[i] = [.. mapper.GetDependencies(mapper.OutputSchema.Where(column => own.Contains(column.Index)))
                .Select(column => views[i].Schema[column.Index])];
        }

        return needed;
    }

    private static void Read(IDataView view, DataViewSchema.Column[] columns, CancellationToken cancellation)
    {
        using var cursor = view.GetRowCursor(columns);
        ColumnBuffer[] buffers = [.. columns.Select(column => ColumnBuffer.Create(cursor, column, 1))];
        var rows = 0;
        for (; rows < MostRows && cursor.MoveNext(); rows++)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.ForEach(buffers, buffer => buffer.Read(0));
        }

        if (rows == 0)
        {
            throw new TrainingDataException("There are no rows to score.");
        }
    }
}
