using System.Linq.Expressions;
using System.Numerics;
using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>The row object that getters read from; one a cursor.</summary>
internal sealed class RowHolder<TRow>
    where TRow : class
{
    public TRow? Row { get; set; }

    public TRow Checked() => Row
        ?? throw new InvalidOperationException("The cursor is not at a row: call MoveNext first, and stop where it returns false");
}

/// <summary>Reads and writes the members of row objects as column values, without reflection per row.</summary>
internal static class RowMembers<TRow>
    where TRow : class
{
    /// <summary>The <see cref="ValueGetter{TValue}"/> of a column over the object that the holder holds.</summary>
    public static Delegate Getter(InternalSchemaDefinition.Column column, RowHolder<TRow> holder)
    {
        Type member = column.MemberClrType;
        return member switch
        {
            _ when member == typeof(string) => StringGetter(column.Member, holder),
            _ when member == typeof(string[]) => StringsGetter(column.Member, holder),
            { IsArray: true } => Generic(nameof(ArrayGetter), member.GetElementType()!, column.Member, holder),
            _ when column.Type is KeyDataViewType key => KeyGetter(column.Member, key, holder),
            _ => Generic(nameof(DirectGetter), member, column.Member, holder),
        };
    }

    /// <summary>An action that writes a column's value at the row's position into an object.</summary>
    public static Action<TRow> Filler(InternalSchemaDefinition.Column column, DataViewRow row, DataViewSchema.Column source)
    {
        Type member = column.MemberClrType;
        if (member == typeof(string))
        {
            return StringFiller(column.Member, row, source);
        }

        if (member == typeof(string[]))
        {
            return StringsFiller(column.Member, row, source);
        }

        (string method, Type argument) = member switch
        {
            { IsArray: true } => (nameof(ArrayFiller), member.GetElementType()!),
            _ when column.Type is VectorDataViewType vector => (nameof(VectorFiller), vector.ItemType.RawType),
            _ => (nameof(DirectFiller), member),
        };
        return (Action<TRow>)Method(method).MakeGenericMethod(argument).Invoke(null, [column.Member, row, source])!;
    }

    private static ValueGetter<ReadOnlyMemory<char>> StringGetter(MemberInfo member, RowHolder<TRow> holder)
    {
        Func<TRow, string?> read = Reader<string?>(member);
        return (ref ReadOnlyMemory<char> value) => value = read(holder.Checked()).AsMemory();
    }

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> StringsGetter(MemberInfo member, RowHolder<TRow> holder)
    {
        Func<TRow, string?[]?> read = Reader<string?[]?>(member);
        return (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            string?[] texts = read(holder.Checked()) ?? [];
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref value, texts.Length);
            for (int i = 0; i < texts.Length; i++)
            {
                editor.Values[i] = texts[i].AsMemory();
            }

            value = editor.Commit();
        };
    }

    private static ValueGetter<VBuffer<TItem>> ArrayGetter<TItem>(MemberInfo member, RowHolder<TRow> holder)
    {
        Func<TRow, TItem[]?> read = Reader<TItem[]?>(member);
        return (ref VBuffer<TItem> value) =>
        {
            TItem[] items = read(holder.Checked()) ?? [];
            VBuffer<TItem>.Copy(items, 0, ref value, items.Length);
        };
    }

    private static Delegate KeyGetter(MemberInfo member, KeyDataViewType type, RowHolder<TRow> holder) => Type.GetTypeCode(type.RawType) switch
    {
        TypeCode.Byte => KeyGetter<byte>(member, type.Count, holder),
        TypeCode.UInt32 => KeyGetter<uint>(member, type.Count, holder),
        TypeCode.UInt64 => KeyGetter<ulong>(member, type.Count, holder),
        _ => throw new InvalidOperationException($"The key '{member.Name}' of {typeof(TRow)} is {type.RawType}; expected Byte, UInt32 or UInt64"),
    };

    // As in the real package objects count keys from 0, views from 1, and what is out of range is missing.
    private static ValueGetter<TKey> KeyGetter<TKey>(MemberInfo member, ulong count, RowHolder<TRow> holder)
        where TKey : struct, IBinaryInteger<TKey>
    {
        Func<TRow, TKey> read = Reader<TKey>(member);
        return (ref TKey value) =>
        {
            TKey key = read(holder.Checked());
            value = ulong.CreateTruncating(key) < count ? key + TKey.One : TKey.Zero;
        };
    }

    private static ValueGetter<TValue> DirectGetter<TValue>(MemberInfo member, RowHolder<TRow> holder)
    {
        Func<TRow, TValue> read = Reader<TValue>(member);
        CopyValue<TValue> copy = ValueCopy<TValue>.Copy;
        return (ref TValue value) => copy(read(holder.Checked()), ref value);
    }

    private static Action<TRow> StringFiller(MemberInfo member, DataViewRow row, DataViewSchema.Column source)
    {
        ValueGetter<ReadOnlyMemory<char>> getter = row.GetGetter<ReadOnlyMemory<char>>(source);
        Action<TRow, string> write = Writer<string>(member);
        ReadOnlyMemory<char> value = default;
        return target =>
        {
            getter(ref value);
            write(target, value.ToString());
        };
    }

    private static Action<TRow> StringsFiller(MemberInfo member, DataViewRow row, DataViewSchema.Column source)
    {
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(source);
        Func<TRow, string[]?> read = Reader<string[]?>(member);
        Action<TRow, string[]> write = Writer<string[]>(member);
        VBuffer<ReadOnlyMemory<char>> value = default;
        return target =>
        {
            getter(ref value);
            string[]? texts = read(target);
            texts = texts?.Length == value.Length ? texts : new string[value.Length];
            foreach ((int slot, ReadOnlyMemory<char> text) in value.Items(all: true))
            {
                texts[slot] = text.ToString();
            }

            write(target, texts);
        };
    }

    // As in the real package an array of the right length that the object holds already is reused.
    private static Action<TRow> ArrayFiller<TItem>(MemberInfo member, DataViewRow row, DataViewSchema.Column source)
    {
        ValueGetter<VBuffer<TItem>> getter = row.GetGetter<VBuffer<TItem>>(source);
        Func<TRow, TItem[]?> read = Reader<TItem[]?>(member);
        Action<TRow, TItem[]> write = Writer<TItem[]>(member);
        VBuffer<TItem> value = default;
        return target =>
        {
            getter(ref value);
            TItem[]? items = read(target);
            items = items?.Length == value.Length ? items : new TItem[value.Length];
            value.CopyTo(items);
            write(target, items);
        };
    }

    private static Action<TRow> VectorFiller<TItem>(MemberInfo member, DataViewRow row, DataViewSchema.Column source)
    {
        ValueGetter<VBuffer<TItem>> getter = row.GetGetter<VBuffer<TItem>>(source);
        Func<TRow, VBuffer<TItem>> read = Reader<VBuffer<TItem>>(member);
        Action<TRow, VBuffer<TItem>> write = Writer<VBuffer<TItem>>(member);
        return target =>
        {
            VBuffer<TItem> value = read(target);
            getter(ref value);
            write(target, value);
        };
    }

    private static Action<TRow> DirectFiller<TValue>(MemberInfo member, DataViewRow row, DataViewSchema.Column source)
    {
        ValueGetter<TValue> getter = row.GetGetter<TValue>(source);
        Action<TRow, TValue> write = Writer<TValue>(member);
        return target =>
        {
            TValue value = default!;
            getter(ref value);
            write(target, value);
        };
    }

    // A member without a getter or setter cannot be reached; what it would hold is then the default.
    private static Func<TRow, TValue> Reader<TValue>(MemberInfo member)
    {
        if (member is PropertyInfo { CanRead: false })
        {
            return _ => default!;
        }

        ParameterExpression row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, TValue>>(Expression.MakeMemberAccess(row, member), row).Compile();
    }

    private static Action<TRow, TValue> Writer<TValue>(MemberInfo member)
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        ParameterExpression value = Expression.Parameter(typeof(TValue));
        return Expression.Lambda<Action<TRow, TValue>>(Expression.Assign(Expression.MakeMemberAccess(row, member), value), row, value).Compile();
    }

    private static Delegate Generic(string method, Type argument, MemberInfo member, RowHolder<TRow> holder) =>
        (Delegate)Method(method).MakeGenericMethod(argument).Invoke(null, [member, holder])!;

    private static MethodInfo Method(string name) =>
        typeof(RowMembers<TRow>).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;
}
