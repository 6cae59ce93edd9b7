using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

/// <summary>
/// Writes a schema with its annotations to a model file. Columns and annotations of types that files cannot hold, such
/// as those of the user's own, are left out as the real package leaves them out.
/// </summary>
internal static class SchemaCodec
{
    public static void Write(BinaryWriter writer, DataViewSchema schema)
    {
        DataViewSchema.Column[] columns = [.. schema.Where(column => CanHold(column.Type))];
        writer.Write(columns.Length);
        foreach (DataViewSchema.Column column in columns)
        {
            writer.Write(column.Name);
            DataViewTypeCodec.Write(writer, column.Type);
            WriteAnnotations(writer, column.Annotations);
        }
    }

    public static DataViewSchema Read(BinaryReader reader)
    {
        var builder = new DataViewSchema.Builder();
        for (int columns = reader.ReadInt32(); columns > 0; columns--)
        {
            builder.AddColumn(reader.ReadString(), DataViewTypeCodec.Read(reader), ReadAnnotations(reader));
        }

        return builder.ToSchema();
    }

    private static bool CanHold(DataViewType type) =>
        type.ItemType() is PrimitiveDataViewType item and not RowIdDataViewType && DataViewTypes.TryPrimitiveOf(item.RawType, out _);

    private static void WriteAnnotations(BinaryWriter writer, DataViewSchema.Annotations annotations)
    {
        DataViewSchema.Column[] held = [.. annotations.Schema.Where(annotation => CanHold(annotation.Type))];
        writer.Write(held.Length);
        foreach (DataViewSchema.Column annotation in held)
        {
            writer.Write(annotation.Name);
            DataViewTypeCodec.Write(writer, annotation.Type);
            GenericCall.Static<object?>(
                typeof(SchemaCodec),
                MethodFor(annotation.Type, nameof(WriteVector), nameof(WriteScalar)),
                [annotation.Type.ItemType().RawType],
                writer,
                annotations,
                annotation);
        }
    }

    private static DataViewSchema.Annotations ReadAnnotations(BinaryReader reader)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        for (int annotations = reader.ReadInt32(); annotations > 0; annotations--)
        {
            string name = reader.ReadString();
            DataViewType type = DataViewTypeCodec.Read(reader);
            builder.Add(name, type, GenericCall.Static<Delegate>(
                typeof(SchemaCodec), MethodFor(type, nameof(ReadVector), nameof(ReadScalar)), [type.ItemType().RawType], reader));
        }

        return builder.ToAnnotations();
    }

    private static string MethodFor(DataViewType type, string vector, string scalar) => type is VectorDataViewType ? vector : scalar;

    private static void WriteScalar<T>(BinaryWriter writer, DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        T value = default!;
        annotations.GetValue(annotation.Name, ref value);
        ValueCodec.Write(writer, value);
    }

    private static void WriteVector<T>(BinaryWriter writer, DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        VBuffer<T> value = default;
        annotations.GetValue(annotation.Name, ref value);
        writer.Write(value.Length);
        foreach (T item in value.DenseValues())
        {
            ValueCodec.Write(writer, item);
        }
    }

    private static ValueGetter<T> ReadScalar<T>(BinaryReader reader)
    {
        T value = ValueCodec.Read<T>(reader);
        return (ref T destination) => destination = value;
    }

    private static ValueGetter<VBuffer<T>> ReadVector<T>(BinaryReader reader)
    {
        var values = new T[reader.ReadInt32()];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ValueCodec.Read<T>(reader);
        }

        return (ref VBuffer<T> destination) => VBuffer<T>.Copy(values, 0, ref destination, values.Length);
    }
}
