using System.Reflection;

namespace Microsoft.ML.Transforms;

/// <summary>Calls a generic method with type arguments known only at run time, such as the raw types of columns.</summary>
internal static class GenericCall
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    public static TResult Static<TResult>(Type declaring, string method, Type[] typeArguments, params object?[] arguments) =>
        Invoke<TResult>(null, declaring, method, typeArguments, arguments);

    public static TResult Instance<TResult>(object target, string method, Type[] typeArguments, params object?[] arguments) =>
        Invoke<TResult>(target, target.GetType(), method, typeArguments, arguments);

    private static TResult Invoke<TResult>(object? target, Type declaring, string method, Type[] typeArguments, object?[] arguments) =>
        (TResult)declaring.GetMethod(method, All)!.MakeGenericMethod(typeArguments)
            .Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
}
