using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>Copies values so that source and destination share no buffer.</summary>
internal static class ValueCopy<T>
{
    public static readonly CopyValue<T> Copy = Make();

    private static CopyValue<T> Make()
    {
        if (!typeof(T).IsGenericType || typeof(T).GetGenericTypeDefinition() != typeof(VBuffer<>))
        {
            return static (in T source, ref T destination) => destination = source;
        }

        MethodInfo copy = typeof(ValueCopy<T>).GetMethod(nameof(CopyVector), BindingFlags.Static | BindingFlags.NonPublic)!;
        return copy.MakeGenericMethod(typeof(T).GetGenericArguments()).CreateDelegate<CopyValue<T>>();
    }

    private static void CopyVector<TItem>(in VBuffer<TItem> source, ref VBuffer<TItem> destination) => source.CopyTo(ref destination);
}

internal delegate void CopyValue<T>(in T source, ref T destination);
