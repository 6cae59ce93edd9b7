using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLNet.Pruning.Tests.Api;

/// <summary>
/// Every public constructor, method and setter with one bad argument at a time: refused by an ArgumentException that names it, or taken where
/// it is legal; never anything else.
/// </summary>
[TestClass]
public class ApiArgumentsTests
{
    /// <summary>Norms of any order, infinite ones too, as torch.norm has them.</summary>
    private static readonly string[] s_anyNumber = ["Importance.Magnitude(p)"];

    public static IEnumerable<object[]> Types => typeof(Network).Assembly.GetExportedTypes()
        .Where(type => !typeof(Delegate).IsAssignableFrom(type) && !type.IsEnum && Calls(type).Any())
        .Append(typeof(ApiSpans)).Select(type => new object[] { type.FullName! });

    [TestMethod]
    [Timeout(120_000)]
    [DynamicData(nameof(Types))]
    public void Bad_arguments_are_refused_by_name(string typeName)
    {
        var type = typeof(Network).Assembly.GetType(typeName) ?? typeof(ApiSpans);
        List<string> wrong = [];
        foreach (var (call, parameters) in Calls(type))
        {
            if (call is MethodInfo { IsStatic: false } && ApiArguments.Sample(type) is null)
            {
                wrong.Add($"{type.Name}.{call.Name}: there is no {type.Name} to call it of");
                continue;
            }

            if (parameters.Where(parameter => !parameter.IsOptional && !ApiArguments.TakesNull(parameter) && ApiArguments.Sample(parameter) is null)
                .Select(parameter => parameter.ToString()).ToArray() is { Length: > 0 } unknown)
            {
                wrong.Add($"{type.Name}.{call.Name}: there is no sample of {string.Join(", ", unknown)}");
                continue;
            }

            for (var p = 0; p < parameters.Length; p++)
            {
                foreach (var value in ApiArguments.Bad(parameters[p]))
                {
                    object?[] tried = [.. parameters.Select((parameter, i) =>
                        i == p ? value : parameter.IsOptional ? Type.Missing : ApiArguments.Sample(parameter))];
                    if (Problem(call, call is MethodInfo { IsStatic: false } ? ApiArguments.Sample(type) : null, tried, Name(call, parameters[p]),
                        value) is { } problem)
                    {
                        wrong.Add($"{type.Name}.{call.Name}({parameters[p].Name}: {Shown(value)}): {problem}");
                    }
                }
            }
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
    }

    [TestMethod]
    public void What_takes_spans_is_called_with_arrays()
    {
        var spans = typeof(Network).Assembly.GetExportedTypes().Where(type => !typeof(Delegate).IsAssignableFrom(type)).SelectMany(type => Members(type)
            .Where(call => !CanInvoke(call)).Select(call => $"{type.Name}_{call.Name.TrimStart('.')}")).Distinct().Order().ToArray();
        CollectionAssert.AreEqual(spans, typeof(ApiSpans).GetMethods(BindingFlags.Public | BindingFlags.Static).Select(method => method.Name).Distinct().Order()
            .ToArray(), string.Join(' ', spans));
    }

    [ClassCleanup]
    public static void Delete() => ApiArguments.Folder.Delete(recursive: true);

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

    private static string Name(MethodBase call, ParameterInfo parameter)
        => call.IsSpecialName && call.Name.StartsWith("set_", StringComparison.Ordinal) ? call.Name[4..] : parameter.Name!;

    private static string Shown(object? value) => value switch
    {
        null => "null",
        IDictionary table => $"{{{string.Join(", ", table.Values.Cast<object?>().Select(Shown))}}}",
        IEnumerable list and not string => $"[{string.Join(", ", list.Cast<object?>().Select(Shown))}]",
        _ => $"{value}",
    };

    private static IEnumerable<(MethodBase Call, ParameterInfo[] Parameters)> Calls(Type type)
        => Members(type).Where(CanInvoke).Select(call => (call, call.GetParameters()));

    private static bool CanInvoke(MethodBase call) => call.GetParameters()
        .All(parameter => !parameter.ParameterType.IsByRefLike && !parameter.ParameterType.IsByRef);

    private static IEnumerable<MethodBase> Members(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        return type.GetMethods(Declared).Where(method => (!method.IsAbstract || !CanInvoke(method)) && method.GetBaseDefinition() == method
            && !(method.Name is "Equals" or "op_Equality" or "op_Inequality")
                && (!method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || method.Name.StartsWith("set_", StringComparison.Ordinal)))
            .Concat<MethodBase>(type.IsAbstract || typeof(Exception).IsAssignableFrom(type) ? [] : type.GetConstructors())
            .Where(call => call.GetParameters().Length > 0);
    }
}
