using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLNet.Pruning.Tests.Api;

/// <summary>Options cannot change once they are made, and so not after a step took them.</summary>
[TestClass]
public class OptionsTests
{
    private static readonly Type[] s_options =
    [
        .. typeof(Network).Assembly.GetExportedTypes().Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal)),
    ];

    public static IEnumerable<object[]> Options
        => s_options.SelectMany(type => type.GetProperties().Select(property => new object[] { type.Name, property.Name }));

    [TestMethod]
    public void Every_step_with_options_takes_a_record_of_them()
    {
        Assert.IsGreaterThan(6, s_options.Length);
        foreach (var type in s_options)
        {
            Assert.IsNotNull(type.GetMethod("<Clone>$"), type.Name);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Options))]
    public void An_option_is_set_once_and_its_list_is_the_options_own(string typeName, string name)
    {
        var type = s_options.Single(type => type.Name == typeName);
        var property = type.GetProperty(name)!;
        Assert.IsTrue(property.SetMethod is not { } setter || setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)),
            "it can be set later");
        if (property.PropertyType == typeof(string) || !property.PropertyType.IsAssignableTo(typeof(IEnumerable)))
        {
            return;
        }

        var item = property.PropertyType.GetGenericArguments()[0];
        var given = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item), [])!;
        given.Add(ApiArguments.Sample(item)!);
        var options = ApiArguments.Sample(type)!;
        property.SetValue(options, given);
        var first = ((IEnumerable)property.GetValue(options)!).Cast<object>().Single();
        given.Clear();
        Assert.AreEqual(first, ((IEnumerable)property.GetValue(options)!).Cast<object>().Single(), "the caller's list is kept");
        var kept = (IList)property.GetValue(options)!;
        Assert.ThrowsExactly<NotSupportedException>(() => kept[0] = first, "what is handed out can be written");
    }
}
