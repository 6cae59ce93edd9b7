using System.Text;

namespace MLNet.Pruning.Offline.Tests.Api;

/// <summary>Names of types as XML documentation ids have them.</summary>
internal static class TypeNames
{
    /// <summary>The name of a type's definition, without type arguments.</summary>
    public static string Definition(Type type)
    {
        Type definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        string prefix = definition.DeclaringType is Type declaring
            ? Definition(declaring) + "."
            : definition.Namespace is string space ? space + "." : "";
        return prefix + definition.Name;
    }

    /// <summary>The name of a type as it is used, with its type arguments.</summary>
    public static string Reference(Type type)
    {
        if (type.IsByRef)
        {
            return Reference(type.GetElementType()!) + "@";
        }

        if (type.IsPointer)
        {
            return Reference(type.GetElementType()!) + "*";
        }

        if (type.IsFunctionPointer || type.IsUnmanagedFunctionPointer)
        {
            return "=FUNC";
        }

        if (type.IsArray)
        {
            int rank = type.GetArrayRank();
            return Reference(type.GetElementType()!) + (rank == 1 ? "[]" : $"[{string.Join(',', Enumerable.Repeat("0:", rank))}]");
        }

        if (type.IsGenericParameter)
        {
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        }

        return type.IsGenericType ? Constructed(type) : Definition(type);
    }

    // A nested type shares the list of arguments with the types around it: each takes its own from the front.
    private static string Constructed(Type type)
    {
        var enclosing = new Stack<Type>();
        for (Type? definition = type.GetGenericTypeDefinition(); definition is not null; definition = definition.DeclaringType)
        {
            enclosing.Push(definition);
        }

        Type[] arguments = type.GetGenericArguments();
        int used = 0;
        var name = new StringBuilder();
        foreach (Type part in enclosing)
        {
            name.Append(name.Length == 0 ? part.Namespace is string space ? space + "." : "" : ".");
            int tick = part.Name.IndexOf('`');
            name.Append(tick < 0 ? part.Name : part.Name[..tick]);
            if (tick >= 0)
            {
                int count = int.Parse(part.Name[(tick + 1)..]);
                name.Append('{').AppendJoin(',', arguments.Skip(used).Take(count).Select(Reference)).Append('}');
                used += count;
            }
        }

        return name.ToString();
    }
}
