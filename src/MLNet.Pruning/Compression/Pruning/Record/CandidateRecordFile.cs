using MLNet.Pruning.Files;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>A record of candidates as entries of a model file: what the tables are as JSON, six bytes each as they are in memory.</summary>
internal static class CandidateRecordFile
{
    public static void Write(ModelArchive archive, string name, CandidateRecord record)
    {
        archive.AddJson(name + ".json", record.Pools.Select(pool => new Pool([.. pool.Comparisons], [.. pool.Tables.Select(Describe)])).ToArray());
        var number = 0;
        foreach (var table in record.All())
        {
            archive.Add($"{name}.{number}.scores", MemoryMarshal.AsBytes<float>(table.Scores).ToArray());
            archive.Add($"{name}.{number}.went", MemoryMarshal.AsBytes<ushort>(table.Went).ToArray());
            if (table.Ranks is { } ranks)
            {
                archive.Add($"{name}.{number}.ranks", MemoryMarshal.AsBytes<int>(ranks).ToArray());
            }

            number++;
        }
    }

    public static CandidateRecord Read(ModelArchive archive, string name)
    {
        var (record, number) = (new CandidateRecord(), 0);
        foreach (var pool in archive.ReadJson<Pool[]>(name + ".json"))
        {
            record.Pools.Add(new() { Comparisons = [.. pool.Comparisons],
                Tables = [.. pool.Tables.Select(table => Read(archive, $"{name}.{number++}", table, pool.Comparisons.Length))] });
        }

        return record;
    }

    private static Table Describe(CandidateTable table) => new(table.Name, table.Layer, [.. table.Shape],
        [table.Layout.Count, table.Layout.Weights, table.Layout.Length, table.Layout.Down, table.Layout.Along],
        table.Pattern is var (size, stride) ? [size, stride] : null, [.. table.Slices], table.Names?.ToArray(), table.Before?.Edges, table.Before?.Counts,
        table.Ranks is not null);

    private static CandidateTable Read(ModelArchive archive, string name, Table table, int comparisons)
    {
        T[] Values<T>(string kind) where T : unmanaged => archive.Read($"{name}.{kind}", content =>
            MemoryMarshal.Cast<byte, T>(content).ToArray() is var values && (values.Length == table.Layout[0] || table.Edges is null) ? values
                : throw new ArgumentException($"it has {values.Length} weights or structures of '{table.Name}', which has {table.Layout[0]}"));
        return new CandidateTable(table.Name, table.Layer, table.Shape,
            new(table.Layout[0], table.Layout[1], table.Layout[2], table.Layout[3], table.Layout[4]))
        {
            Pattern = table.Pattern is [var size, var stride] ? (size, stride) : null,
            Slices = table.Slices,
            Names = table.Names,
        }.With(Values<float>("scores"), Checked(Values<ushort>("went")), table.IsRanked ? Values<int>("ranks") : null,
            table is { Edges: { } edges, Counts: { } counts } ? (edges, counts) : null);

        ushort[] Checked(ushort[] went) => went.FirstOrDefault(one => one > comparisons && one != CandidateTable.Earlier) is var odd and > 0
            ? throw archive.Damaged($"a weight or structure of '{table.Name}' went in comparison {odd} of {comparisons}") : went;
    }

    private sealed record Pool(Comparison[] Comparisons, Table[] Tables);

    private sealed record Table(string Name, string Layer, int[] Shape, int[] Layout, int[]? Pattern, CandidateSlices[] Slices, string[]? Names,
        double[]? Edges, long[]? Counts, bool IsRanked);
}
