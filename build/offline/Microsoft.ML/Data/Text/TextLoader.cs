using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads lines of separated values as rows. Files are opened anew for each cursor and read as far as it goes.</summary>
public sealed partial class TextLoader
{
    private readonly IHost _host;
    private readonly TextFormat _format;
    private readonly TextColumn[] _columns;
    private readonly DataViewSchema _schema;

    internal TextLoader(IHostEnvironment env, Options options, IMultiStreamSource? dataSample)
    {
        _host = env.Register(nameof(TextLoader));
        _format = new TextFormat(options);
        Column[] columns = options.Columns
            ?? throw new ArgumentOutOfRangeException(nameof(options), $"{nameof(Options)}.{nameof(Options.Columns)} must name at least one column");
        _columns = TextColumn.Bind(columns, _format, dataSample);
        var builder = new DataViewSchema.Builder();
        foreach (TextColumn column in _columns)
        {
            builder.AddColumn(column.Name, column.Type, column.Annotations);
        }

        _schema = builder.ToSchema();
    }

    public DataViewSchema GetOutputSchema() => _schema;

    public IDataView Load(IMultiStreamSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new TextDataView(_host, _format, _columns, _schema, source);
    }

    /// <summary>The columns that the attributes of a row class name.</summary>
    internal static Column[] ColumnsOf(Type rowType)
    {
        const BindingFlags PublicInstance = BindingFlags.Public | BindingFlags.Instance;
        IEnumerable<MemberInfo> fields = rowType.GetFields(PublicInstance);
        MemberInfo[] members =
        [
            .. fields,
            .. rowType.GetProperties(PublicInstance).Where(property => property.GetGetMethod() is not null && property.GetIndexParameters().Length == 0),
        ];
        Contracts.CheckParam(members.Length > 0, "TInput", $"Should define at least one public, readable field or property in {rowType}");
        return Array.ConvertAll(members, ColumnOf);
    }

    private static Column ColumnOf(MemberInfo member)
    {
        LoadColumnAttribute load = member.GetCustomAttribute<LoadColumnAttribute>() ?? throw new InvalidOperationException(
            $"{(member is FieldInfo ? "Field" : "Property")} '{member.Name}' is missing the {nameof(LoadColumnAttribute)} attribute");
        Type item = MemberType.Of(MemberType.ClrTypeOf(member)).RawItemType;
        DataKind kind = Enum.GetValues<DataKind>().FirstOrDefault(kind => DataViewTypes.PrimitiveOf(kind).RawType == item);
        if (kind == default)
        {
            throw new InvalidOperationException($"Member {member.Name} is of unsupported type {MemberType.ClrTypeOf(member)}");
        }

        return new Column
        {
            Name = member.GetCustomAttribute<ColumnNameAttribute>()?.Name ?? member.Name,
            Source = load.Sources,
            DataKind = kind,
            KeyCount = member.GetCustomAttribute<KeyTypeAttribute>() is KeyTypeAttribute key ? new KeyCount(key.Count) : null,
        };
    }
}
