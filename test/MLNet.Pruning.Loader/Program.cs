using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

// Loads a model file, scores the rows of a text file whose columns are those of the file's schema one after another, and writes what it
// finds as JSON: columns with their types, slot names and key values, and the values of each row.
var ml = new MLContext();
var model = ml.Model.Load(args[0], out var schema);
var columns = new List<TextLoader.Column>();
var next = 0;
foreach (var column in schema.Where(column => !column.IsHidden))
{
    var (item, size) = column.Type is VectorDataViewType vector ? (vector.ItemType, vector.Size) : (column.Type, 1);
    var kind = item == TextDataViewType.Instance ? DataKind.String : Enum.Parse<DataKind>(item.RawType.Name);
    columns.Add(column.Type is VectorDataViewType ? new(column.Name, kind, next, next + size - 1) : new(column.Name, kind, next));
    next += size;
}

var scored = model.Transform(ml.Data.LoadFromTextFile(args[1], [.. columns], separatorChar: ','));
var names = args[2].Split(',');
var found = new Dictionary<string, object>();
foreach (var name in names.Where(name => scored.Schema.GetColumnOrNull(name) is not null))
{
    var column = scored.Schema[name];
    found[name] = new
    {
        Type = column.Type.ToString(),
        SlotNames = Texts(column, "SlotNames"),
        KeyValues = Texts(column, "KeyValues"),
        KeyValuesType = column.Annotations.Schema.GetColumnOrNull("KeyValues")?.Type.ToString(),
        Rows = Rows(scored, column),
    };
}

Console.WriteLine(JsonSerializer.Serialize(found));

static string[] Texts(DataViewSchema.Column column, string annotation)
    => column.Annotations.Schema.GetColumnOrNull(annotation)?.Type is not VectorDataViewType vector ? []
    : (string[])((Delegate)Values<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(vector.ItemType.RawType).Invoke(null, [column, annotation])!;

static string[] Values<T>(DataViewSchema.Column column, string annotation)
{
    VBuffer<T> values = default;
    column.Annotations.GetValue(annotation, ref values);
    return [.. values.DenseValues().Select(Text)];
}

static string Text<T>(T value) => value switch
{
    DateTime or DateTimeOffset => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
    IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
    _ => value!.ToString()!,
};

static float[][] Rows(IDataView view, DataViewSchema.Column column) => column.Type switch
{
    VectorDataViewType => [.. view.GetColumn<float[]>(column)],
    KeyDataViewType => [.. view.GetColumn<uint>(column).Select(key => new[] { (float)key })],
    BooleanDataViewType => [.. view.GetColumn<bool>(column).Select(side => new[] { side ? 1f : 0f })],
    _ => [.. view.GetColumn<float>(column).Select(value => new[] { value })],
};
