using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A <see cref="SchemaDefinition"/> checked against the row class it is used with.</summary>
internal sealed class InternalSchemaDefinition
{
    private InternalSchemaDefinition(Column[] columns) => Columns = columns;

    public Column[] Columns { get; }

    public static InternalSchemaDefinition Create(Type userType, SchemaDefinition.Direction direction, SchemaDefinition? definition = null) =>
        new([.. (definition ?? SchemaDefinition.Create(userType, direction)).Select(column => Bind(userType, column))]);

    /// <summary>The members of a row class that a schema names, with the types and annotations of the schema.</summary>
    public static InternalSchemaDefinition Create(Type userType, DataViewSchema schema)
    {
        var definition = SchemaDefinition.Create(userType, SchemaDefinition.Direction.Read);
        foreach (DataViewSchema.Column column in schema)
        {
            SchemaDefinition.Column member = definition[column.Name]
                ?? throw new InvalidOperationException($"Type should contain a member named {column.Name}");
            member.Adopt(column);
        }

        return Create(userType, SchemaDefinition.Direction.Read, definition);
    }

    public DataViewSchema ToSchema()
    {
        var builder = new DataViewSchema.Builder();
        foreach (Column column in Columns)
        {
            builder.AddColumn(column.Name, column.Type, column.Annotations);
        }

        return builder.ToSchema();
    }

    private static Column Bind(Type userType, SchemaDefinition.Column column)
    {
        MemberInfo member = (MemberInfo?)userType.GetField(column.MemberName) ?? userType.GetProperty(column.MemberName)
            ?? throw new ArgumentOutOfRangeException(
                "userSchemaDefinition", $"No field or property with name '{column.MemberName}' found in type '{userType.FullName}'");
        var type = MemberType.Of(member);
        string name = string.IsNullOrEmpty(column.ColumnName) ? column.MemberName : column.ColumnName;
        DataViewType columnType = column.ColumnType ?? type.ColumnType(member);
        bool wantsVector = columnType is VectorDataViewType;
        Contracts.CheckParam(
            wantsVector == type.IsVector,
            "userSchemaDefinition",
            $"Column '{name}' is supposed to be {Shape(wantsVector)}, but type of associated field '{column.MemberName}' is {Shape(type.IsVector)}");
        Contracts.CheckParam(
            columnType.ItemType().RawType == type.RawItemType,
            "userSchemaDefinition",
            $"Column '{name}' is supposed to have item type {columnType.ItemType().RawType}, but associated field has type {type.RawItemType}");
        return new Column(name, columnType, member, column.Annotations);
    }

    private static string Shape(bool isVector) => isVector ? "vector" : "scalar";

    public sealed record Column(string Name, DataViewType Type, MemberInfo Member, DataViewSchema.Annotations Annotations)
    {
        public Type MemberClrType => MemberType.ClrTypeOf(Member);
    }
}
