using System.Collections;
using System.Reflection;

namespace MLNet.Pruning.Messages;

/// <summary>
/// A choice as the calls that make it: <c>Sgd(0.9, false)</c>, <c>Cosine(0).WithWarmup(2)</c>, <c>L1(0.001) + GroupLasso(0.01, Unit)</c>. The one form
/// in which choices are printed, kept in files, compared between runs and given on a command line. What can be called is what the type offers
/// users: its static methods and properties that give one, its methods that give another, <c>+</c> and <c>&amp;</c>. What only code can give, such as a
/// function, is printed and not read.
/// </summary>
internal static class Notation
{
    /// <summary>A call with its arguments.</summary>
    /// <param name="name">The method or, without arguments, the property.</param>
    /// <param name="arguments">Numbers, truth values, texts, pairs and lists of them, and other choices.</param>
    public static string Call(string name, params ReadOnlySpan<object?> arguments)
        => arguments.IsEmpty ? name : $"{name}({string.Join(", ", arguments.ToArray().Select(Argument))})";

    /// <summary>Whether objects of the type are choices: whether it offers any.</summary>
    public static bool Offers(Type type) => type.IsClass && type.Assembly == typeof(Notation).Assembly && Makers(type).Any();

    /// <summary>What a type offers to texts, with the names of arguments that have to be given: <c>OneShot</c>, <c>Linear(steps)</c>.</summary>
    public static IEnumerable<string> Offered(Type type) => Makers(type)
        .Where(maker => maker is not MethodInfo method || method.GetParameters().All(CanRead)).Select(maker => maker is MethodInfo method
        && method.GetParameters().Where(parameter => !parameter.HasDefaultValue).Select(parameter => parameter.Name).ToArray() is { Length: > 0 } needed
            ? $"{maker.Name}({string.Join(", ", needed)})" : maker.Name);

    /// <summary>The choice that a text stands for.</summary>
    /// <param name="text">Its calls; letters may be of either case.</param>
    /// <param name="defaults">By the names of parameters what they are where the text does not say; null for what they are in code.</param>
    /// <exception cref="FormatException">It stands for none; the message says what is offered.</exception>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static T Parse<T>(string text, IReadOnlyDictionary<string, object>? defaults = null)
        where T : class
    {
        var reader = new NotationReader(text) { Defaults = defaults };
        var value = (T)Sum(reader, typeof(T));
        reader.End();
        return value;
    }

    /// <summary>An argument of a call.</summary>
    public static string Argument(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        string text => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"",
        ITuple pair => $"({string.Join(", ", Enumerable.Range(0, pair.Length).Select(i => Argument(pair[i])))})",
        double number => number.ToString("r", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        KeyValuePair<string, double> pair => Argument((pair.Key, pair.Value)),
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Argument))}]",
        _ => value.ToString()!,
    };

    private static bool CanRead(ParameterInfo parameter) => parameter.HasDefaultValue || parameter.ParameterType is var type
        && (type.IsPrimitive || type == typeof(string) || type.IsAssignableTo(typeof(IEnumerable)) || Offers(type));

    private static object Sum(NotationReader reader, Type type)
    {
        var sum = Chain(reader, type);
        while ((reader.Take('+') ? "op_Addition" : reader.Take('&') ? "op_BitwiseAnd" : null) is { } name)
        {
            var join = type.GetMethod(name, [type, type]) ?? throw reader.Wrong($"a {type.Name} cannot be joined to another so");
            sum = Invoke(reader, join, null, [sum, Chain(reader, type)]);
        }

        return sum;
    }

    private static object Chain(NotationReader reader, Type type)
    {
        object value;
        if (reader.Take('('))
        {
            using (reader.Nest())
            {
                value = Sum(reader, type);
            }

            reader.Expect(')');
        }
        else
        {
            reader.TakePrefix(type.Name);
            value = Make(reader, type, null, Makers(type));
        }

        while (reader.Take('.'))
        {
            value = Make(reader, type, value, type.GetMethods(BindingFlags.Public | BindingFlags.Instance)
                .Where(method => type.IsAssignableFrom(method.ReturnType) && !method.IsSpecialName));
        }

        return value;
    }

    private static IEnumerable<MemberInfo> Makers(Type type)
    {
        const BindingFlags statics = BindingFlags.Public | BindingFlags.Static;
        // A layer below may know a choice by its base alone.
        return type.Assembly.GetExportedTypes().Where(other => other == type || type.IsAbstract && other.BaseType == type).SelectMany(offers =>
            offers.GetMethods(statics).Where(method => type.IsAssignableFrom(method.ReturnType) && !method.IsSpecialName)
                .Concat<MemberInfo>(offers.GetProperties(statics).Where(property => type.IsAssignableFrom(property.PropertyType))));
    }

    private static object Make(NotationReader reader, Type type, object? on, IEnumerable<MemberInfo> members)
    {
        var name = reader.Name();
        var named = members.Where(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (named.Length == 0)
        {
            throw reader.Wrong($"there is no {type.Name}.{name}.{NearestNames.Suggest(name, members.Select(member => member.Name).Distinct())}");
        }

        if (named.OfType<PropertyInfo>().FirstOrDefault() is { } property)
        {
            return property.GetValue(null)!;
        }

        var method = named.OfType<MethodInfo>().First();
        return Invoke(reader, method, on, Arguments(reader, name, method.GetParameters()));
    }

    private static object?[] Arguments(NotationReader reader, string name, ParameterInfo[] parameters)
    {
        var (arguments, rest) = (new List<object?>(), new List<object?>());
        // As many as are given, and in the end one array.
        var item = parameters is [.., var last] && last.IsDefined(typeof(ParamArrayAttribute)) ? last.ParameterType.GetElementType() : null;
        var single = item is null ? parameters : parameters[..^1];
        if (reader.Take('('))
        {
            using (reader.Nest())
            {
                for (var more = !reader.Take(')'); more; more = !reader.TakeEnd(')'))
                {
                    var type = arguments.Count < single.Length ? single[arguments.Count].ParameterType
                        : item ?? throw reader.Wrong($"{name} takes at most {parameters.Length} arguments");
                    (arguments.Count < single.Length ? arguments : rest).Add(Read(reader, type));
                }
            }
        }

        foreach (var missing in single.Skip(arguments.Count))
        {
            arguments.Add(reader.Defaults?.TryGetValue(missing.Name!, out var given) == true ? given
                : missing.HasDefaultValue ? missing.DefaultValue : throw reader.Wrong($"{name} needs '{missing.Name}'"));
        }

        return item is null ? [.. arguments] : [.. arguments, ArrayOf(item, rest)];
    }

    private static Array ArrayOf(Type item, List<object?> items)
    {
        var array = Array.CreateInstance(item, items.Count);
        ((ICollection)items).CopyTo(array, 0);
        return array;
    }

    private static object Invoke(NotationReader reader, MethodInfo method, object? on, object?[] arguments)
    {
        try
        {
            return method.Invoke(on, arguments) ?? throw reader.Wrong($"{method.Name} gives nothing");
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException inner)
        {
            throw inner;
        }
    }

    private static object? Read(NotationReader reader, Type type)
    {
        var isOptional = Nullable.GetUnderlyingType(type) is not null || !type.IsValueType;
        if (isOptional && reader.TakeWord("null"))
        {
            return null;
        }

        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return reader.Text();
        }

        if (type == typeof(bool))
        {
            return reader.TakeWord("true") || !reader.TakeWord("false") && reader.Number() != 0;
        }

        if (type.IsEnum)
        {
            reader.TakePrefix(type.Name);
            var name = reader.Name();
            return Enum.GetNames(type).Contains(name, StringComparer.OrdinalIgnoreCase) ? Enum.Parse(type, name, ignoreCase: true)
                : throw reader.Wrong($"there is no {type.Name}.{name}; expected {string.Join(" or ", Enum.GetNames(type))}");
        }

        if (type.IsPrimitive)
        {
            var number = reader.Number();
            return type == typeof(double) || number == Math.Floor(number) && Math.Abs(number) <= 1L << 53
                ? Convert.ChangeType(number, type, CultureInfo.InvariantCulture)
                : throw reader.Wrong($"{number.ToString(CultureInfo.InvariantCulture)} is no whole number");
        }

        if (type.IsAssignableTo(typeof(ITuple)))
        {
            return Pair(reader, type);
        }

        if (type == typeof(IReadOnlyDictionary<string, double>))
        {
            var pairs = List(reader, typeof((string Key, double Value))).Cast<(string Key, double Value)>().ToArray();
            return pairs.DistinctBy(pair => pair.Key).Count() == pairs.Length ? pairs.ToDictionary(pair => pair.Key, pair => pair.Value)
                : throw reader.Wrong("a name stands there twice");
        }

        return type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) && type.GetGenericArguments() is [var item] ? ArrayOf(item, List(reader, item))
            : Offers(type) ? Sum(reader, type) : throw reader.Wrong($"a {type.Name} can be given in code alone");
    }

    private static List<object?> List(NotationReader reader, Type item)
    {
        var list = new List<object?>();
        reader.Expect('[');
        for (var more = !reader.Take(']'); more; more = !reader.TakeEnd(']'))
        {
            list.Add(Read(reader, item));
        }

        return list;
    }

    private static object Pair(NotationReader reader, Type type)
    {
        var types = type.GetGenericArguments();
        var items = new object?[types.Length];
        reader.Expect('(');
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = Read(reader, types[i]);
            reader.Expect(i < items.Length - 1 ? ',' : ')');
        }

        return Activator.CreateInstance(type, items)!;
    }
}
