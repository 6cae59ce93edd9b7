using System.IO.Compression;
using MLNet.Pruning.Data;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Columns;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>
/// Models with networks in a file: what is ML.NET's own is written by ML.NET, what is a network by <see cref="ArchivedNetwork"/>, what are pruned trees by
/// <see cref="ArchivedTrees"/>.
/// </summary>
internal static class ModelFile
{
    public static ModelArchive Pack(MLContext ml, ITransformer model, DataViewSchema inputSchema)
    {
        var archive = new ModelArchive();
        if (ArchivedColumn.Of(inputSchema) is { } columns)
        {
            archive.AddJson(ModelArchive.Schema, columns);
        }
        else
        {
            archive.Add(ModelArchive.FullSchema, Bytes(ml, new TransformerChain<ITransformer>(), inputSchema));
        }

        var others = new List<ITransformer>();
        foreach (var step in NetworkChains.Flatten(model))
        {
            if (step is not IScoringStep)
            {
                others.Add(step);
                continue;
            }

            Flush(others);
            var name = $"{archive.Steps.Count}/";
            archive.Steps.Add(new(step is NeuralNetworkTransformer, name, step is PrunedTreesTransformer));
            if (step is PrunedTreesTransformer trees)
            {
                ArchivedTrees.Write(archive, name, trees);
            }
            else
            {
                ArchivedNetwork.Write(archive, name, (NeuralNetworkTransformer)step);
            }
        }

        Flush(others);
        return archive;

        void Flush(List<ITransformer> steps)
        {
            if (steps.Count > 0)
            {
                var name = $"{archive.Steps.Count}.zip";
                archive.Steps.Add(new(IsNetwork: false, name));
                archive.Add(name, Bytes(ml, new TransformerChain<ITransformer>([.. steps]), null));
                steps.Clear();
            }
        }
    }

    public static ITransformer Unpack(MLContext ml, ModelArchive archive, out DataViewSchema inputSchema)
    {
        var networks = new ArchivedNetworks(archive);
        var first = archive.Has(ModelArchive.Schema) ? archive.ReadJson(ModelArchive.Schema, ArchivedColumn.ReadSchema)
            : archive.ReadZip(ModelArchive.FullSchema, content =>
            {
                ml.Model.Load(content, out var schema);
                return schema ?? throw new FormatException("it has no schema");
            });
        inputSchema = first;
        var schema = first;
        var steps = new List<ITransformer>();
        foreach (var (isNetwork, name, isTrees) in archive.Steps)
        {
            var step = isTrees ? ArchivedTrees.Read(archive, name, schema) : isNetwork ? ArchivedNetwork.Read(archive, networks, name, schema)
                : archive.ReadZip(name, content => ml.Model.Load(content, out _));
            schema = Output(step);
            steps.AddRange(NetworkChains.Flatten(step));

            DataViewSchema Output(ITransformer transformer)
            {
                try
                {
                    return transformer.GetOutputSchema(schema);
                }
                catch (Exception e) when (e is not ModelFileException)
                {
                    throw archive.Damaged($"step '{name}' does not fit what comes before it: {e.Message}", e);
                }
            }
        }

        return steps is [var only] ? only : new TransformerChain<ITransformer>([.. steps]);
    }

    /// <summary>What ML.NET writes of a model, without the time of day that it writes into it: the same model gives the same file.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="model">The model.</param>
    /// <param name="schema">Schema of its rows; ML.NET takes null for one that is not to be written.</param>
    private static byte[] Bytes(MLContext ml, ITransformer model, DataViewSchema? schema)
    {
        using var stream = new MemoryStream();
        ml.Model.Save(model, schema!, stream);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            foreach (var entry in zip.Entries)
            {
                entry.LastWriteTime = ModelArchive.Epoch;
            }
        }

        return stream.ToArray();
    }
}
