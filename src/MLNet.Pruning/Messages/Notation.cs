using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLNet.Pruning.Messages;

/// <summary>
/// A choice as the calls that make it: <c>Sgd(0.9, false)</c>, <c>Cosine(0).WithWarmup(2)</c>, <c>L1(0.001) + GroupLasso(0.01, Unit)</c>. The one form
/// in which choices are printed, kept in files, compared between runs and given on a command line. What can be called is what the type offers
/// users: its static methods and properties that give one, its methods that give another, and <c>+</c>.
/// </summary>
internal static class Notation
{
    /// <summary>A call with its arguments.</summary>
    /// <param name="name">The method or, without arguments, the property.</param>
    /// <param name="arguments">Numbers, truth values, texts, pairs and lists of them, and other choices.</param>
    public static string Call(string name, params ReadOnlySpan<object?> arguments)
        => arguments.IsEmpty ? name : $"{name}({string.Join(", ", arguments.ToArray().Select(Argument))})";

    /// <summary>The choice that a text stands for.</summary>
    /// <exception cref="FormatException">It stands for none; the message says what is offered.</exception>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static T Parse<T>(string text)
        where T : class
    {
        var reader = new NotationReader(text);
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
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Argument))}]",
        _ => value.ToString()!,
    };

    private static object Sum(NotationReader reader, Type type)
    {
        var sum = Chain(reader, type);
        while (reader.Take('+'))
        {
            var plus = type.GetMethod("op_Addition", [type, type]) ?? throw reader.Wrong($"a {type.Name} cannot be added to another");
            sum = Invoke(reader, plus, null, [sum, Chain(reader, type)]);
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
            value = Make(reader, type, null, Makers(type));
        }

        while (reader.Take('.'))
        {
            value = Make(reader, type, value, type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Where(method => type.IsAssignableFrom(method.ReturnType) && !method.IsSpecialName));
        }

        return value;
    }

    private static IEnumerable<MemberInfo> Makers(Type type)
    {
        const BindingFlags statics = BindingFlags.Public | BindingFlags.Static;
        return type.GetMethods(statics).Where(method => type.IsAssignableFrom(method.ReturnType) && !method.IsSpecialName)
            .Concat<MemberInfo>(type.GetProperties(statics).Where(property => type.IsAssignableFrom(property.PropertyType)));
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
        var parameters = method.GetParameters();
        var arguments = new List<object?>();
        if (reader.Take('('))
        {
            using (reader.Nest())
            {
                for (var more = !reader.Take(')'); more; more = !reader.TakeEnd(')'))
                {
                    arguments.Add(arguments.Count < parameters.Length ? Read(reader, parameters[arguments.Count].ParameterType)
                        : throw reader.Wrong($"{name} takes at most {parameters.Length} arguments"));
                }
            }
        }

        foreach (var missing in parameters.Skip(arguments.Count))
        {
            arguments.Add(missing.HasDefaultValue ? missing.DefaultValue : throw reader.Wrong($"{name} needs '{missing.Name}'"));
        }

        return Invoke(reader, method, on, [.. arguments]);
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

        if (type.IsPrimitive)
        {
            var number = reader.Number();
            return type == typeof(double) || number == Math.Floor(number) && Math.Abs(number) <= 1L << 53 ? Convert.ChangeType(number, type, CultureInfo.InvariantCulture)
                : throw reader.Wrong($"{number.ToString(CultureInfo.InvariantCulture)} is no whole number");
        }

        if (type.IsAssignableTo(typeof(ITuple)))
        {
            return Pair(reader, type);
        }

        if (type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)))
        {
            var item = type.GetGenericArguments()[0];
            var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
            reader.Expect('[');
            for (var more = !reader.Take(']'); more; more = !reader.TakeEnd(']'))
            {
                list.Add(Read(reader, item));
            }

            return list;
        }

        return Sum(reader, type);
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
