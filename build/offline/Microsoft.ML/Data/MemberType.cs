using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The CLR type of a row member or annotation value as a column sees it: its item type, and whether it is a vector.</summary>
internal readonly record struct MemberType(Type ItemType, bool IsVector)
{
    /// <summary>The item type of values in a data view: strings are kept as memory.</summary>
    public Type RawItemType => ItemType == typeof(string) ? typeof(ReadOnlyMemory<char>) : ItemType;

    public static MemberType Of(MemberInfo member)
    {
        MemberType type = Of(ClrTypeOf(member));
        Contracts.CheckParam(
            DataViewTypes.TryPrimitiveOf(type.ItemType, out _),
            "rawType",
            $"Could not determine an IDataView type and registered custom types for member {member.Name}");
        return type;
    }

    public static MemberType Of(Type type) => type switch
    {
        { IsArray: true } => new(type.GetElementType()!, true),
        { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(VBuffer<>) => new(type.GetGenericArguments()[0], true),
        _ => new(type, false),
    };

    public static Type ClrTypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    /// <summary>A getter of a value that the user gave as string, array or the raw type itself.</summary>
    public static Delegate AnnotationGetter<T>(T value, DataViewType type)
    {
        if (type.RawType == typeof(T))
        {
            return (ValueGetter<T>)((ref T destination) => ValueCopy<T>.Copy(value, ref destination));
        }

        return value switch
        {
            string text when type is TextDataViewType =>
                (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> destination) => destination = text.AsMemory()),
            Array items when type is VectorDataViewType vector && Of(typeof(T)).RawItemType == vector.ItemType.RawType =>
                (Delegate)typeof(MemberType).GetMethod(nameof(ArrayGetter), BindingFlags.Static | BindingFlags.NonPublic)!
                    .MakeGenericMethod(vector.ItemType.RawType).Invoke(null, [items])!,
            _ => throw new ArgumentOutOfRangeException(nameof(type), $"An annotation of type '{type}' cannot hold a {typeof(T)}"),
        };
    }

    /// <summary>The column type that the member and its attributes declare.</summary>
    public DataViewType ColumnType(MemberInfo member)
    {
        PrimitiveDataViewType item = DataViewTypes.PrimitiveOf(ItemType);
        if (member.GetCustomAttribute<KeyTypeAttribute>() is KeyTypeAttribute key)
        {
            Contracts.CheckParam(
                KeyDataViewType.IsValidDataType(ItemType),
                "userType",
                $"Member {member.Name} marked with KeyType attribute, but does not appear to be a valid kind of data for a key type");
            item = new KeyDataViewType(ItemType, key.Count);
        }

        var vector = member.GetCustomAttribute<VectorTypeAttribute>();
        Contracts.CheckParam(
            vector is null || IsVector,
            "userType",
            $"Member {member.Name} marked with {nameof(VectorTypeAttribute)}, but does not appear to be a vector type");
        if (!IsVector)
        {
            return item;
        }

        return vector is { Dimensions.Length: > 0 } ? new VectorDataViewType(item, vector.Dimensions) : new VectorDataViewType(item);
    }

    private static ValueGetter<VBuffer<T>> ArrayGetter<T>(Array items)
    {
        T[] values = items as T[] ?? (T[])(object)Array.ConvertAll((string[])items, text => text.AsMemory());
        return (ref VBuffer<T> destination) => VBuffer<T>.Copy(values, 0, ref destination, values.Length);
    }
}
