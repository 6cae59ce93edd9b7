using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class EnvironmentTests
{
    [TestMethod]
    public void Random_numbers_follow_the_seed_and_the_order_of_registering()
    {
        static int[] Draw(int? seed)
        {
            IHostEnvironment env = new MLContext(seed);
            IHost first = env.Register("A");
            IHost second = env.Register("B");
            return [first.Rand.Next(), second.Rand.Next(), first.Register("C").Rand.Next()];
        }

        CollectionAssert.AreEqual(Draw(3), Draw(3));
        CollectionAssert.AreNotEqual(Draw(3), Draw(4));
        CollectionAssert.AreNotEqual(Draw(null), Draw(null));
        Assert.HasCount(3, Draw(3).Distinct().ToArray());
    }

    [TestMethod]
    public void Messages_reach_the_log()
    {
        var ml = new MLContext();
        var messages = new List<LoggingEventArgs>();
        ml.Log += (_, message) => messages.Add(message);
        using (IChannel channel = ((IHostEnvironment)ml).Register("Pruning").Register("Step").Start("Phase"))
        {
            channel.Warning(MessageSensitivity.None, "{0} of {1}", 1, 2);
        }

        LoggingEventArgs warning = messages.Single(message => message.Kind == ChannelMessageKind.Warning);
        Assert.AreEqual("1 of 2", warning.RawMessage);
        Assert.Contains("Step; Phase", warning.Source);
        Assert.AreEqual($"[Source={warning.Source}, Kind=Warning] 1 of 2", warning.Message);
    }

    [TestMethod]
    public void Braces_in_a_message_without_arguments_are_text()
    {
        var ml = new MLContext();
        string? message = null;
        ml.Log += (_, e) => message = e.Kind == ChannelMessageKind.Info ? e.RawMessage : message;
        using IChannel channel = ((IHostEnvironment)ml).Start("Phase");
        channel.Info(MessageSensitivity.None, "{not a format}");
        Assert.AreEqual("{not a format}", message);
    }

    [TestMethod]
    public void Extension_packages_find_the_environment_of_a_catalog()
    {
        var ml = new MLContext { GpuDeviceId = 2, FallbackToCpu = true };
        foreach (object catalog in new object[]
        {
            ml.Transforms, ml.Transforms.Conversion, ml.Data, ml.Model,
            ml.MulticlassClassification, ml.MulticlassClassification.Trainers, ml.BinaryClassification.Trainers, ml.Regression.Trainers,
        })
        {
            IHostEnvironment env = EnvironmentOf(catalog);
            Assert.AreEqual(2, PropertyOf<int?>(env, "GpuDeviceId"));
            Assert.IsTrue(PropertyOf<bool>(env, "FallbackToCpu"));
            Assert.AreEqual(2, PropertyOf<int?>(env.Register("Host"), "GpuDeviceId"));
        }

        FieldInfo? field = typeof(TransformsCatalog).GetField("_env", BindingFlags.Instance | BindingFlags.NonPublic);
        Assert.AreSame(EnvironmentOf(ml.Transforms), field?.GetValue(ml.Transforms));
    }

    [TestMethod]
    public void Options_are_kept_by_name()
    {
        var ml = new MLContext();
        Assert.IsTrue(ml.TryAddOption("A", 1));
        Assert.IsFalse(ml.TryAddOption("A", 2));
        ml.SetOption("A", 3);
        Assert.AreEqual(3, ml.GetOptionOrDefault<int>("A"));
        Assert.IsTrue(ml.RemoveOption("A"));
        Assert.IsFalse(ml.TryGetOption("A", out int _));
    }

    private static IHostEnvironment EnvironmentOf(object catalog) =>
        (IHostEnvironment)catalog.GetType().GetInterfaces().Single(type => type.Name == "IInternalCatalog").GetProperty("Environment")!.GetValue(catalog)!;

    private static T PropertyOf<T>(IHostEnvironment env, string name) => (T)env.GetType().GetInterfaces()
        .Single(type => type.Name == "IHostEnvironmentInternal").GetProperty(name)!.GetValue(env)!;
}
