namespace MLNet.Pruning.Data;

/// <summary>Which columns a network's inputs are read from, and how: a row is the values of all inputs, one after another, as floats.</summary>
internal sealed record NetworkInputs
{
    /// <summary>The columns, in the order of the network's inputs.</summary>
    public required ImmutableArray<InputColumn> Columns { get; init; }

    /// <summary>How images lie in their columns.</summary>
    public ImageLayout Layout { get; init; }

    /// <summary>Finds and checks the columns of a schema.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="network">The network that reads them.</param>
    /// <param name="names">Names of the columns, in the order of the network's inputs.</param>
    /// <param name="layout">How images lie in their columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or of another type or size than the network reads.</exception>
    public static NetworkInputs Of(DataViewSchema schema, Network network, IReadOnlyList<string> names, ImageLayout layout = ImageLayout.ChannelsFirst)
    {
        CheckCount(network, names);
        var columns = names.Select(name => Find(schema, name)).Select(column => new InputColumn(column.Name, column.Type)).ToImmutableArray();
        for (var i = 0; i < columns.Length; i++)
        {
            Check(columns[i], network.Inputs[i]);
        }

        return new() { Columns = columns, Layout = layout };
    }

    /// <exception cref="ArgumentException">There are not as many columns as inputs, or an input has a size of 0.</exception>
    public static void CheckCount(Network network, IReadOnlyList<string> names)
    {
        if (names.Count != network.Inputs.Length)
        {
            throw new ArgumentException($"The network reads {network.Inputs.Length} inputs ({string.Join(", ", network.Inputs)}), but {names.Count} columns "
                + "were given "
                + $"({string.Join(", ", names)}): ml.Transforms.LoadNetwork takes one column an input.");
        }

        if (network.Inputs.FirstOrDefault(input => input.IsKnown && input.Shape.Contains(0)) is { } empty)
        {
            throw new ArgumentException($"The network's input '{empty.Name}' is {TensorInfo.Dimensions(empty.Shape)}: it holds no values, so no column can be "
                + "read as it.");
        }
    }

    /// <summary>The columns in a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or of another type or size than it was.</exception>
    public ImmutableArray<DataViewSchema.Column> Bind(DataViewSchema schema, Network network)
    {
        Of(schema, network, [.. Columns.Select(column => column.Name)], Layout);
        return [.. Columns.Select(column => schema[column.Name])];
    }

    public static DataViewSchema.Column Find(DataViewSchema schema, string name, string role = "feature") => schema.GetColumnOrNull(name)
        ?? throw new ArgumentOutOfRangeException(nameof(schema), name,
            $"Could not find the {role} column '{name}'. The data has: "
                + $"{string.Join(", ", schema.Where(column => !column.IsHidden).Select(column => column.Name))}.");

    /// <summary>The kind of exception ML.NET itself throws for a column of another type.</summary>
    public static ArgumentOutOfRangeException Mismatch(string name, string role, string expected, string? found)
        => new("schema", $"The {role} column '{name}' is of type {found}; expected {expected}.");

    private static void Check(InputColumn column, TensorInfo input)
    {
        if (!TypeFits(column, input))
        {
            throw Mismatch(column.Name, "feature", Expected(input) + (column.IsText ? "; " + TextHint(input) : ""), column.ToString());
        }

        if (column.Size != input.RowSize)
        {
            throw Mismatch(column.Name, "feature", Expected(input), column.ToString());
        }
    }

    /// <summary>Whether the values of a column are of a kind that the input takes, whatever their number.</summary>
    public static bool TypeFits(InputColumn column, TensorInfo input)
        => IsIntegerInput(input) ? column.IsInteger : column.ItemType == NumberDataViewType.Single;

    public static bool IsIntegerInput(TensorInfo input)
        => input.Type is TensorType.Int64 or TensorType.Int32 or TensorType.Int16 or TensorType.Int8 or TensorType.UInt8 or TensorType.UInt16
            or TensorType.UInt32
            or TensorType.UInt64 or TensorType.Bool;

    private static string Expected(TensorInfo input)
        => IsIntegerInput(input) ? $"a vector of {input.RowSize} integers or keys, what the network reads as '{input.Name}'"
            : $"Vector<Single, {input.RowSize}>, what the network reads";

    private static string TextHint(TensorInfo input) => IsIntegerInput(input)
        ? "turn text into token ids first (TokenizeIntoWords and MapValueToKey, or a tokenizer of your own)"
        : "turn text into numbers first (ml.Transforms.Text.FeaturizeText, or ml.Transforms.Categorical.OneHotEncoding)";
}
