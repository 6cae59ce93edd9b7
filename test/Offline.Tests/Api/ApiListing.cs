using System.Reflection;

namespace MLNet.Pruning.Offline.Tests.Api;

/// <summary>
/// The public and protected types and members of an assembly, one a line, in the format of the listings of the real
/// packages: documentation id, tab, modifiers, type, parameters with names and defaults.
/// </summary>
internal static class ApiListing
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Of(Assembly assembly) => assembly.GetTypes().Where(IsVisible).SelectMany(Of);

    private static IEnumerable<string> Of(Type type) =>
    [
        TypeLine(type),
        .. type.GetMethods(Declared).Where(method => IsVisible(method) && !IsAccessor(method)).Select(MethodLine),
        .. type.GetConstructors(Declared).Where(constructor => IsVisible(constructor) && !constructor.IsStatic).Select(ConstructorLine),
        .. type.GetProperties(Declared).Select(PropertyLine).OfType<string>(),
        .. type.GetFields(Declared).Where(field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName).Select(FieldLine),
        .. type.GetEvents(Declared).Where(e => e.AddMethod is MethodInfo add && IsVisible(add)).Select(EventLine),
    ];

    private static bool IsVisible(Type type) => type.IsNested
        ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
        : type.IsPublic;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static string TypeLine(Type type)
    {
        IEnumerable<string> baseClass = type.BaseType is Type parent && parent != typeof(object) && !type.IsValueType
            ? [TypeNames.Reference(parent)]
            : [];
        IEnumerable<string> interfaces = type.GetInterfaces()
            .Where(implemented => implemented.IsPublic || implemented.IsNestedPublic)
            .Select(TypeNames.Reference)
            .Order(StringComparer.Ordinal);
        string bases = string.Join(", ", baseClass.Concat(interfaces));
        return $"T:{TypeNames.Definition(type)}\t{Kind(type)}{(bases.Length > 0 ? " : " + bases : "")}";
    }

    private static string Kind(Type type) => type switch
    {
        { IsInterface: true } => "interface",
        { IsEnum: true } => "enum",
        _ when typeof(Delegate).IsAssignableFrom(type) => "delegate",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string MethodLine(MethodInfo method) =>
        $"{MethodId(method, method.Name)}\t{Modifiers(method)}{TypeNames.Reference(method.ReturnType)} {Parameters(method)}";

    private static string ConstructorLine(ConstructorInfo constructor) => $"{MethodId(constructor, "#ctor")}\tvoid {Parameters(constructor)}";

    private static string? PropertyLine(PropertyInfo property)
    {
        MethodInfo? getter = property.GetGetMethod(true);
        MethodInfo? setter = property.GetSetMethod(true);
        string get = getter is not null && IsVisible(getter) ? "get;" : "";
        string set = setter is not null && IsVisible(setter) ? "set;" : "";
        if (get.Length + set.Length == 0)
        {
            return null;
        }

        ParameterInfo[] index = property.GetIndexParameters();
        string arguments = index.Length > 0 ? $"({string.Join(',', index.Select(parameter => TypeNames.Reference(parameter.ParameterType)))})" : "";
        string id = $"P:{TypeNames.Definition(property.DeclaringType!)}.{property.Name}{arguments}";
        return $"{id}\t{Modifiers((getter ?? setter)!)}{TypeNames.Reference(property.PropertyType)} {{{get}{set}}}";
    }

    private static string FieldLine(FieldInfo field)
    {
        string modifier = field.IsLiteral ? "const " : field.IsStatic ? "static " : "";
        string value = field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "";
        return $"F:{TypeNames.Definition(field.DeclaringType!)}.{field.Name}\t{modifier}{TypeNames.Reference(field.FieldType)}{value}";
    }

    private static string EventLine(EventInfo e) =>
        $"E:{TypeNames.Definition(e.DeclaringType!)}.{e.Name}\t{TypeNames.Reference(e.EventHandlerType!)}";

    private static string Modifiers(MethodBase method)
    {
        string access = method.IsPublic ? "" : "protected ";
        if (method.IsStatic)
        {
            return access + "static ";
        }

        if (method.IsAbstract)
        {
            return access + "abstract ";
        }

        return !method.IsVirtual || method.IsFinal ? access
            : access + (method.Attributes.HasFlag(MethodAttributes.NewSlot) ? "virtual " : "override ");
    }

    private static string MethodId(MethodBase method, string name)
    {
        string id = $"M:{TypeNames.Definition(method.DeclaringType!)}.{(method is ConstructorInfo ? name : name.Replace('.', '#'))}";
        if (method.IsGenericMethodDefinition)
        {
            id += $"``{method.GetGenericArguments().Length}";
        }

        ParameterInfo[] parameters = method.GetParameters();
        if (parameters.Length > 0)
        {
            id += $"({string.Join(',', parameters.Select(parameter => TypeNames.Reference(parameter.ParameterType)))})";
        }

        return method is MethodInfo { Name: "op_Implicit" or "op_Explicit" } conversion
            ? $"{id}~{TypeNames.Reference(conversion.ReturnType)}"
            : id;
    }

    private static string Parameters(MethodBase method) => $"({string.Join(", ", method.GetParameters().Select(Parameter))})";

    private static string Parameter(ParameterInfo parameter)
    {
        string prefix = parameter.IsDefined(typeof(ParamArrayAttribute), false) ? "params " : "";
        string value = !parameter.HasDefaultValue ? ""
            : parameter.RawDefaultValue is string text ? $"=\"{text}\""
            : "=" + (parameter.RawDefaultValue?.ToString() ?? "null");
        return prefix + parameter.Name + value;
    }
}
