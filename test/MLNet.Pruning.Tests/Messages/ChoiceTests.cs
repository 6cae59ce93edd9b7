using System.Collections;
using System.Reflection;
using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Tests.Messages;

/// <summary>
/// Every choice that the library offers, whatever is added: its text says all that was given, stands for the same again, and does not change with the
/// lists it was made of.
/// </summary>
[TestClass]
public class ChoiceTests
{
    private const BindingFlags Static = BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private const BindingFlags Instance = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    /// <summary>What is no choice of a technique, though it is made by static methods of its own.</summary>
    private static readonly Dictionary<Type, string> s_none = new()
    {
        [typeof(Network)] = "a model, kept as ONNX",
        [typeof(ImportanceScores)] = "a measurement",
        [typeof(NetworkCost)] = "a measurement",
        [typeof(ClassConfusion)] = "a measurement",
        [typeof(Teacher)] = "a model, or columns of data; kept beside where it is a network",
        [typeof(LayerRule)] = "a part of options that are kept nowhere, named by its layers",
        [typeof(Layer)] = "a description of a network, kept as ONNX",
        [typeof(Metric)] = "kept by its name",
    };

    /// <summary>What only code can give.</summary>
    private static readonly Dictionary<string, string> s_code = new()
    {
        ["Schedule.From"] = "a function",
        ["Distribution.BySensitivity"] = "a measurement",
        ["Distillation.From"] = "a model",
    };

    /// <summary>Two values of each type of argument.</summary>
    private static readonly Dictionary<Type, object[]> s_samples = new()
    {
        [typeof(Curvature)] = [Curvature.EmpiricalFisher, Curvature.GaussNewton],
        [typeof(SurgeonOrder)] = [SurgeonOrder.Greedy, SurgeonOrder.AtOnce],
        [typeof(Importance)] = [Importance.L1, Importance.Taylor(9), Importance.Osscar(5, 0.5, Importance.Wanda())],
        [typeof(int)] = [2, 3],
        [typeof(long)] = [5L, 6L],
        [typeof(double)] = [0.25, 0.625],
        [typeof(string)] = ["fc1", "a \"b\""],
        [typeof(bool)] = [false, true],
        [typeof(string[])] = [new[] { "fc1" }, new[] { "conv, \"a\"", "fc2" }],
        [typeof(double[])] = [new[] { 0.1, 0.2 }, new[] { 0.3 }],
        [typeof((string, string))] = [("a", "b"), ("c", "d")],
        [typeof(IReadOnlyDictionary<string, double>)] =
        [
            new Dictionary<string, double> { ["a"] = 0.1, ["b"] = 0.2 }, new Dictionary<string, double> { ["a"] = 0.2 },
        ],
        [typeof(Granularity)] = [Granularity.HiddenUnit, Granularity.WeightBlock(2, 3)],
        [typeof(Distribution)] = [Distribution.ErdosRenyi, Distribution.Given(new Dictionary<string, double> { ["fc1"] = 0.5 })],
        [typeof(LearningRateSchedule)] = [LearningRateSchedule.Step(2, 0.5), LearningRateSchedule.Cosine(0).WithWarmup(1)],
        [typeof(Recovery)] = [Recovery.MergeNearest(7), Recovery.Reconstruct(8, 0.5).Then(Recovery.MergeNearest()), Recovery.Reconstruct(8, null)],
        [typeof(Budget)] = [Budget.Bytes(7), Budget.Latency(2.5, 4)],
        [typeof(Optimizer)] = [Optimizer.Sgd(0.5), Optimizer.Adam()],
        [typeof(Quantizer)] = [Quantizer.Weights(4), Quantizer.Ternary],
        [typeof(CodebookStart)] = [CodebookStart.Density, CodebookStart.Random(3)],
    };

    /// <summary>What methods that give another are called of.</summary>
    private static readonly Dictionary<Type, object> s_on = new()
    {
        [typeof(Amount)] = Amount.Count(4),
        [typeof(Scope)] = Scope.Layer,
        [typeof(Schedule)] = Schedule.Cubic(4),
        [typeof(LearningRateSchedule)] = LearningRateSchedule.Linear(0.5),
        [typeof(Recovery)] = Recovery.LowRank(2),
        [typeof(Budget)] = Budget.Parameters(9),
        [typeof(Rank)] = Rank.Energy(0.5),
        [typeof(Distillation)] = Distillation.Response(2, 0.5) + Distillation.Logits(0.25),
        [typeof(Perturbation)] = Perturbation.Pgd(0.5, 0.25),
    };

    /// <summary>Two values for the left of a sum, and two for the right.</summary>
    private static readonly Dictionary<Type, object[]> s_terms = new()
    {
        [typeof(Budget)] = [Budget.Parameters(9), Budget.Parameters(8), Budget.MetricLoss(0.5), Budget.Bytes(2)],
        [typeof(Factorizer)] = [Factorizer.Tucker2, Factorizer.Cp(3), Factorizer.Svd, Factorizer.Pca],
        [typeof(Regularization)] = [Regularization.L1(0.5), Regularization.L2(0.5), Regularization.BatchNormScale(0.1),
            Regularization.GroupLasso(1, Granularity.Row)],
        [typeof(QuantizationPreparation)] = [QuantizationPreparation.Equalize, QuantizationPreparation.Smooth(0.25), QuantizationPreparation.CorrectBias,
            QuantizationPreparation.Smooth(0.75)],
        [typeof(Distillation)] = [Distillation.Response(2, 0.5), Distillation.Response(3, 0.5), Distillation.Logits(0.1), Distillation.Logits(0.2)],
    };

    /// <summary>Arguments that s_samples would have out of range, or another kind would stand for.</summary>
    private static readonly Dictionary<string, object[]> s_own = new()
    {
        ["Importance.Magnitude(p)"] = [3.0, double.PositiveInfinity],
        ["Granularity.NToM(m)"] = [4, 8],
        ["SearchStrategy.LearnedPolicy(population)"] = [4, 5],
        ["Tolerance.Confident(confidence)"] = [0.5, 0.9],
        ["Optimizer.Adam(epsilon)"] = [1e-8, 1e-7],
        ["Quantizer.Mixed(budget)"] = [Budget.Bytes(7), Budget.Latency(2.5, 4)],
        ["Quantizer.Weights(bits)"] = [4, 8],
        ["Perturbation.Within(high)"] = [1.0, 2.0],
        ["Quantizer.Weights(block)"] = [16, 32],
        ["Distribution.Given(sparsities)"] = s_samples[typeof(IReadOnlyDictionary<string, double>)],
    };

    private static IEnumerable<Type> Types => typeof(Network).Assembly.GetExportedTypes().Where(type => Notation.Offers(type) && !s_none.ContainsKey(type));

    public static IEnumerable<object[]> Makers => Types.SelectMany(type => Of(type)
        .Where(method => (!method.IsSpecialName || method.Name is "op_Addition" or "op_BitwiseAnd") && !method.Name.Contains('$'))
        .Where(method => !s_code.ContainsKey($"{type.Name}.{method.Name}")).Select(method => new object[] { type.Name, method.Name }));

    [TestMethod]
    public void Everything_named_here_is_there()
    {
        Assert.IsGreaterThan(12, Types.Count());
        CollectionAssert.AreEqual(Array.Empty<Type>(), s_none.Keys.Where(type => !Notation.Offers(type)).ToArray());
        CollectionAssert.IsSubsetOf(s_code.Keys, Types.SelectMany(type => Of(type).Select(method => $"{type.Name}.{method.Name}")).ToArray());
    }

    [TestMethod]
    public void Every_choice_without_arguments_is_made_again_from_its_text()
    {
        foreach (var property in Types.SelectMany(type => type.GetProperties(Static).Where(property => type.IsAssignableFrom(property.PropertyType))))
        {
            Again(property.DeclaringType!, property.GetValue(null)!);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Makers))]
    public void Every_argument_is_in_the_text_and_what_is_made_again_is_the_same(string typeName, string name)
    {
        var type = Types.Single(type => type.Name == typeName);
        foreach (var method in Of(type).Where(method => method.Name == name))
        {
            var parameters = method.GetParameters();
            object?[] first = [.. parameters.Select(parameter => Sample(parameter, 0))];
            var text = Again(type, Make(method, type, first));
            for (var p = 0; p < parameters.Length; p++)
            {
                if (parameters[p].ParameterType == typeof(Teacher))
                {
                    continue;
                }

                object?[] other = [.. first];
                other[p] = Sample(parameters[p], 1);
                Assert.AreNotEqual(text, Again(type, Make(method, type, other)), parameters[p].Name);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Makers))]
    public void Lists_are_copied(string typeName, string name)
    {
        var type = Types.Single(type => type.Name == typeName);
        foreach (var method in Of(type).Where(method => method.Name == name))
        {
            object?[] arguments = [.. method.GetParameters().Select(parameter => Copy(Sample(parameter, 0)))];
            var made = Make(method, type, arguments);
            var text = made.ToString();
            foreach (var list in arguments)
            {
                Spoil(list);
            }

            Assert.AreEqual(text, made.ToString());
        }
    }

    /// <summary>All that give one of a type.</summary>
    private static IEnumerable<MethodInfo> Of(Type type)
        => type.GetMethods(Static).Concat(type.GetMethods(Instance)).Where(method => type.IsAssignableFrom(method.ReturnType));

    /// <summary>The text of a choice, after it has stood for the same.</summary>
    private static string Again(Type type, object made)
    {
        var text = made.ToString()!;
        var parse = typeof(Notation).GetMethod(nameof(Notation.Parse))!.MakeGenericMethod(type);
        Assert.AreEqual(text, parse.Invoke(null, [text, null])!.ToString());
        Assert.AreEqual(text, parse.Invoke(null, [$"{type.Name}.{text}".Replace($"{type.Name}.(", "("), null])!.ToString(), "as code writes it");
        return text;
    }

    private static object Make(MethodInfo method, Type type, object?[] arguments) => method.Invoke(method.IsStatic ? null : On(type, method), arguments)!;

    /// <summary>What a method that gives another is called of.</summary>
    private static object On(Type type, MethodInfo method) => s_on.GetValueOrDefault(type)
        ?? throw new InvalidOperationException($"There is no {type.Name} to call {method.Name} of.");

    private static object? Sample(ParameterInfo parameter, int which)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return s_own.TryGetValue($"{parameter.Member.DeclaringType!.Name}.{parameter.Member.Name}({parameter.Name})", out var own) ? own[which]
            : type == typeof(Teacher) ? null
            : type == parameter.Member.DeclaringType && parameter.Member.Name.StartsWith("op_", StringComparison.Ordinal)
            ? Term(type, parameter.Position * 2 + which)
            : s_samples.TryGetValue(type, out var samples) ? samples[which]
            : type.IsGenericType && type.GetGenericArguments() is [var item] && s_samples.TryGetValue(item, out var items) ? ListOf(item, items[which])
            : throw new InvalidOperationException($"There is no sample of {parameter.ParameterType}.");
    }

    private static object Term(Type type, int which) => s_terms.TryGetValue(type, out var terms) ? terms[which]
        : throw new InvalidOperationException($"There is no term of {type.Name}.");

    private static IList ListOf(Type item, object value)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
        list.Add(value);
        return list;
    }

    private static object? Copy(object? value) => value switch
    {
        Array array => array.Clone(),
        Dictionary<string, double> table => new Dictionary<string, double>(table),
        _ => value,
    };

    private static void Spoil(object? list)
    {
        switch (list)
        {
            case string[] names:
                names[0] = "spoilt";
                break;
            case double[] numbers:
                numbers[0] = 0.01;
                break;
            case Dictionary<string, double> table:
                table["a"] = 0.9;
                break;
            case IList { IsFixedSize: false } rows:
                rows.Clear();
                break;
        }
    }
}
