using System.Reflection;
using System.Reflection.Emit;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>What a method calls, as its code says.</summary>
internal static class MethodCalls
{
    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Every method with code of a type and of the types within it: lambdas, iterators and local functions lie there.</summary>
    public static IEnumerable<MethodBase> Methods(Type type)
    {
        const BindingFlags All = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;
        return type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)).Concat(type.TypeInitializer is { } initializer ? [initializer] : [])
            .Where(method => method.GetMethodBody() is not null).Concat(type.GetNestedTypes(All).SelectMany(Methods));
    }

    /// <summary>The methods that a method calls, in order.</summary>
    public static IEnumerable<MethodBase> Of(MethodBase method) => Instructions(method).Where(one => one.Called is not null).Select(one => one.Called!);

    /// <summary>The instructions of a method, each with what it calls, where it calls something.</summary>
    public static IEnumerable<(OpCode Code, MethodBase? Called)> Instructions(MethodBase method)
    {
        var il = method.GetMethodBody()!.GetILAsByteArray()!;
        for (var at = 0; at < il.Length;)
        {
            var code = il[at] == 0xFE ? s_codes[(short)(0xFE00 | il[at + 1])] : s_codes[il[at]];
            at += code.Size;
            yield return (code, code.OperandType == OperandType.InlineMethod ? Resolve(method, BitConverter.ToInt32(il, at)) : null);
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }

    private static MethodBase? Resolve(MethodBase method, int token) => method.Module.ResolveMethod(token,
        method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null, method.IsGenericMethod ? method.GetGenericArguments() : null);
}
