using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLNet.Pruning.Tests.Api;

/// <summary>
/// Every public constructor, method and setter with one bad argument at a time: refused by an ArgumentException that names it, or taken where
/// it is legal; never anything else. What steps report (records) is made by the library, and left out, as are methods that run for long.
/// </summary>
[TestClass]
public class ApiArgumentsTests
{
    /// <summary>What other tests cover, on real data and files: fitting, scoring, saving.</summary>
    private static readonly string[] s_longRunning = ["Fit", "Transform", "GetOutputSchema", "GetRowToRowMapper", "Sensitivity", "Measure", "Chart"];

    /// <summary>Norms of any order, infinite ones too, as torch.norm has them.</summary>
    private static readonly string[] s_anyNumber = ["Importance.Magnitude(p)"];

    public static IEnumerable<object[]> Types => typeof(Network).Assembly.GetExportedTypes().Where(type => !typeof(Delegate).IsAssignableFrom(type) && !type.IsEnum && Calls(type).Any())
        .Select(type => new object[] { type.FullName! });

    [TestMethod]
    [DynamicData(nameof(Types))]
    public void Bad_arguments_are_refused_by_name(string typeName)
    {
        var type = typeof(Network).Assembly.GetType(typeName)!;
        List<string> wrong = [];
        foreach (var (call, parameters) in Calls(type))
        {
            var instance = call is MethodInfo { IsStatic: false } ? ApiArguments.Sample(type) : null;
            var arguments = parameters.Select(parameter => ApiArguments.Sample(parameter.ParameterType)).ToArray();
            if ((call is MethodInfo { IsStatic: false } && instance is null) || parameters.Zip(arguments).Any(pair => pair.Second is null && !pair.First.IsOptional))
            {
                continue;
            }

            for (var p = 0; p < parameters.Length; p++)
            {
                foreach (var value in ApiArguments.Bad(parameters[p]))
                {
                    object?[] tried = [.. parameters.Select((parameter, i) => i == p ? value : parameter.IsOptional ? Type.Missing : arguments[i])];
                    if (Problem(call, instance, tried, Name(call, parameters[p]), value) is { } problem)
                    {
                        wrong.Add($"{type.Name}.{call.Name}({parameters[p].Name}: {(value is IEnumerable and not string ? "[null]" : value ?? "null")}): {problem}");
                    }
                }
            }
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
    }

    private static string? Problem(MethodBase call, object? instance, object?[] arguments, string name, object? value)
    {
        try
        {
            _ = call is ConstructorInfo constructor ? constructor.Invoke(BindingFlags.OptionalParamBinding, null, arguments, null)
                : call.Invoke(instance, BindingFlags.OptionalParamBinding, null, arguments, null);
            return ApiArguments.IsNeverLegal(value) && !s_anyNumber.Contains($"{call.DeclaringType!.Name}.{call.Name}({name})") ? "taken" : null;
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException { ParamName: { } named })
        {
            return named.Equals(name, StringComparison.OrdinalIgnoreCase) ? null : $"refused as '{named}': {e.InnerException.Message}";
        }
        catch (TargetInvocationException e)
        {
            // A file that is not there.
            return e.InnerException is IOException && value is string ? null : $"{e.InnerException!.GetType().Name}: {e.InnerException.Message}";
        }
    }

    private static string Name(MethodBase call, ParameterInfo parameter) => call.IsSpecialName && call.Name.StartsWith("set_", StringComparison.Ordinal) ? call.Name[4..] : parameter.Name!;

    private static IEnumerable<(MethodBase Call, ParameterInfo[] Parameters)> Calls(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        // Optimizer is a record of which only factories are public.
        var isRecord = type.GetMethod("<Clone>$") is not null;
        return type.GetMethods(Declared).Where(method => !method.IsGenericMethodDefinition && !s_longRunning.Contains(method.Name) && !method.IsAbstract
                && !method.Name.StartsWith("Save", StringComparison.Ordinal) && !method.Name.StartsWith("op_", StringComparison.Ordinal) && method.GetBaseDefinition() == method
                && !method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) | method.Name.StartsWith("set_", StringComparison.Ordinal)
                && !(isRecord && (method.Name.StartsWith("set_", StringComparison.Ordinal) || method.Name is "Deconstruct" or "Equals")))
            .Concat<MethodBase>(isRecord || type.IsAbstract || typeof(Exception).IsAssignableFrom(type) ? [] : type.GetConstructors())
            .Concat(type.GetMethods(Declared).Where(method => method.Name is "op_Addition" or "op_BitwiseAnd"))
            .Select(call => (call, call.GetParameters())).Where(call => call.Item2.Length > 0 && call.Item2.All(parameter => !parameter.ParameterType.IsByRefLike && !parameter.ParameterType.IsByRef));
    }
}
