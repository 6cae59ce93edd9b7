using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Students cut out of their teachers.</summary>
[TestClass]
public class ShrinkTests
{
    [TestMethod]
    public void A_quarter_of_the_units_and_half_of_the_layers_of_a_perceptron_stay()
    {
        var teacher = Network.Mlp(784, 1200, 1200, 10).Initialize(1);
        var student = teacher.Shrink(width: 0.25, depth: 0.5);
        CollectionAssert.AreEqual(new[] { "fc1.weight[300 x 784]", "fc1.bias[300]", "fc3.weight[10 x 300]", "fc3.bias[10]" },
            student.Parameters.Select(Describe).ToArray());

        // The layer between, which is square, is gone: the last one reads what the first makes.
        var kept = Largest(300, Norms(teacher["fc1.weight"], 0), Norms(teacher["fc3.weight"], 1));
        AreEqual(Part(teacher["fc1.weight"], 0, kept), student["fc1.weight"]);
        AreEqual(Part(teacher["fc1.bias"], 0, kept), student["fc1.bias"]);
        AreEqual(Part(teacher["fc3.weight"], 1, kept), student["fc3.weight"]);
        AreEqual(teacher["fc3.bias"], student["fc3.bias"]);
    }

    [TestMethod]
    [DataRow(0.5, 5, 4)]
    [DataRow(0.25, 2, 2)]
    [DataRow(0.26, 3, 2)]
    [DataRow(0.01, 1, 1)]
    public void Every_layer_keeps_its_share_of_units_of_the_largest_norm(double width, int first, int second)
    {
        var teacher = Network.Mlp(6, 10, 8, 3).Initialize(2);
        var student = teacher.Shrink(width);
        var one = Largest(first, Norms(teacher["fc1.weight"], 0), Norms(teacher["fc2.weight"], 1));
        var two = Largest(second, Norms(teacher["fc2.weight"], 0), Norms(teacher["fc3.weight"], 1));
        AreEqual(Part(teacher["fc1.weight"], 0, one), student["fc1.weight"]);
        AreEqual(Part(teacher["fc1.bias"], 0, one), student["fc1.bias"]);
        AreEqual(Part(Part(teacher["fc2.weight"], 0, two), 1, one), student["fc2.weight"]);
        AreEqual(Part(teacher["fc2.bias"], 0, two), student["fc2.bias"]);
        AreEqual(Part(teacher["fc3.weight"], 1, two), student["fc3.weight"]);
        AreEqual(teacher["fc3.bias"], student["fc3.bias"]);
    }

    [TestMethod]
    public void Channels_go_with_their_normalisation_and_their_pixels_behind_a_flattening()
    {
        var teacher = Convolutional().Initialize(3);
        teacher = teacher.With("bn1.weight", [.. Enumerable.Range(1, 8).Select(i => i / 8f)])
            .With("bn1.mean", [.. Enumerable.Range(1, 8).Select(i => -i / 4f)]);
        var student = teacher.Shrink(width: 0.5);

        // A channel is 6 x 6 pixels, which the dense layer reads one after another.
        var pixels = Norms(teacher["fc1.weight"], 1);
        var kept = Largest(4, Norms(teacher["conv1.weight"], 0), [.. Enumerable.Range(0, 8).Select(c => pixels[(36 * c)..(36 * c + 36)].Sum())]);
        AreEqual(Part(teacher["conv1.weight"], 0, kept), student["conv1.weight"]);
        foreach (var name in new[] { "conv1.bias", "bn1.weight", "bn1.bias", "bn1.mean", "bn1.variance" })
        {
            AreEqual(Part(teacher[name], 0, kept), student[name]);
        }

        AreEqual(Part(teacher["fc1.weight"], 1, [.. kept.SelectMany(c => Enumerable.Range(36 * c, 36))]), student["fc1.weight"]);
        AreEqual(teacher["fc1.bias"], student["fc1.bias"]);
    }

    [TestMethod]
    [DataRow("mlp", 0.25)]
    [DataRow("lenet5", 0.5)]
    [DataRow("tiny_resnet", 0.5)]
    [DataRow("transformer", 0.5)]
    [DataRow("lstm", 0.5)]
    [DataRow("mobilenet_v3_small", 0.4)]
    public void What_stays_of_a_network_are_the_teachers_slices_of_the_groups_of_largest_norm(string name, double width)
    {
        var model = Zoo.Network(name);
        var teacher = Network.FromOnnx(model.Path);
        var student = teacher.Shrink(width);

        var norms = teacher.Parameters.Where(parameter => parameter.Shape.Length > 1)
            .SelectMany(parameter => parameter.Shape.Select((_, d) => ((parameter.Name, d), Norms(parameter, d)))).ToDictionary();
        var gone = new HashSet<(string Parameter, int Dimension, int Index)>();
        foreach (var layer in teacher.Groups().GroupBy(group => group.Layer))
        {
            var kept = (int)Math.Max(1, Math.Ceiling(layer.Count() * width - 0.5));
            foreach (var group in layer.OrderByDescending(group => Norm(norms, group)).Skip(kept))
            {
                gone.UnionWith(group.Members.SelectMany(member => member.Indices.Select(index => (member.Parameter, member.Dimension, index))));
            }
        }

        Assert.IsNotEmpty(gone);
        foreach (var parameter in teacher.Parameters)
        {
            var expected = parameter;
            for (var d = 0; d < parameter.Shape.Length; d++)
            {
                int[] kept = [.. Enumerable.Range(0, parameter.Shape[d]).Where(index => !gone.Contains((parameter.Name, d, index)))];
                expected = kept.Length == parameter.Shape[d] ? expected : Part(expected, d, kept);
            }

            AreEqual(expected, student[parameter.Name]);
        }

        SameOutputs(model, teacher, student);
    }

    [TestMethod]
    public void The_less_important_of_two_residual_blocks_goes()
    {
        var model = Zoo.Network("tiny_resnet");
        var network = Network.FromOnnx(model.Path);
        var blocks = BlockRemoval.Find(network, layers: false);
        Assert.HasCount(2, blocks);
        foreach (var weak in blocks)
        {
            var teacher = network.WithParameters(weak.Parameters
                .Select(name => network[name].WithValues([.. network[name].Values.ToArray().Select(value => value / 100)])));
            var student = teacher.Shrink(depth: 0.5);
            CollectionAssert.AreEqual(teacher.Parameters.Select(parameter => parameter.Name).Except(weak.Parameters).ToArray(),
                student.Parameters.Select(parameter => parameter.Name).ToArray());
            foreach (var parameter in student.Parameters)
            {
                AreEqual(teacher[parameter.Name], parameter);
            }

            SameOutputs(model, teacher, student);
        }
    }

    [TestMethod]
    public void Blocks_and_heads_of_a_transformer_go_together()
    {
        // Two layers of attention and two dense layers each, with 4 heads of 8 and 64 units between the dense ones.
        var model = Zoo.Network("transformer");
        var teacher = Network.FromOnnx(model.Path);
        Assert.HasCount(4, BlockRemoval.Find(teacher, layers: false));
        var student = teacher.Shrink(width: 0.5, depth: 0.5);
        Assert.HasCount(2, BlockRemoval.Find(student, layers: false));
        var widths = student.Groups().GroupBy(group => group.Layer).Select(layer => (layer.First().Kind, Count: layer.Count())).ToArray();
        Assert.IsNotEmpty(widths);
        Assert.IsTrue(widths.All(width => width is (StructureKind.Head, 2) or (StructureKind.Neuron, 32)), string.Join(", ", widths));
        SameOutputs(model, teacher, student);
    }

    [TestMethod]
    public void Of_layers_of_equal_size_the_least_important_go_and_never_the_last()
    {
        var teacher = Network.Mlp(4, 8, 8, 8, 8).Initialize(1);
        teacher = teacher.With("fc3.weight", [.. teacher["fc3.weight"].Values.ToArray().Select(value => value / 100)])
            .With("fc4.weight", [.. teacher["fc4.weight"].Values.ToArray().Select(value => value / 1000)]);
        string[] Layers(double depth) => [.. teacher.Shrink(depth: depth).Nodes.Where(node => node.Operator == "Gemm").Select(node => node.Name)];
        CollectionAssert.AreEqual(new[] { "fc1", "fc2", "fc4" }, Layers(0.5));
        CollectionAssert.AreEqual(new[] { "fc1", "fc4" }, Layers(0.1));
        CollectionAssert.AreEqual(new[] { "fc1", "fc2", "fc3", "fc4" }, Layers(0.9));
    }

    [TestMethod]
    public void All_of_a_teacher_is_the_teacher()
    {
        var teacher = Convolutional().Initialize(1);
        Assert.AreSame(teacher, teacher.Shrink());
    }

    [TestMethod]
    public void A_student_learns_from_the_teacher_it_was_cut_out_of()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        NeuralNetworkTransformer Fit(Network network, int epochs, Distillation? distillation)
        {
            var options = Digits.Options(epochs) with { Network = network, Seed = 5, Distillation = distillation };
            return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(data).LastTransformer;
        }

        var teacher = Fit(Convolutional(), 6, null).Network;
        var student = teacher.Shrink(width: 0.5);
        var taught = Fit(student, 3, Distillation.Response(teacher: teacher));
        Assert.AreEqual(student.ParameterCount, taught.Network.ParameterCount);
        Assert.IsLessThan(0.55 * teacher.ParameterCount, student.ParameterCount);

        // The same student with values drawn anew is behind after the first epoch.
        var drawn = Fit(student.WithoutValues(), 3, Distillation.Response(teacher: teacher));
        Assert.IsGreaterThan(drawn.GetReport<TrainingReport>().Epochs[0].Validation!.Metric, taught.GetReport<TrainingReport>().Epochs[0].Validation!.Metric);
        Assert.IsGreaterThan(0.9, taught.GetReport<TrainingReport>().Epochs[^1].Validation!.Metric);
    }

    [TestMethod]
    public void Shares_out_of_range_and_teachers_that_cannot_shrink_are_refused()
    {
        var teacher = Network.Mlp(64, 30, 10).Initialize(1);
        foreach (var share in new[] { 0, -0.5, 1.01, double.NaN })
        {
            Assert.AreEqual("width", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => teacher.Shrink(width: share)).ParamName);
            Assert.AreEqual("depth", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => teacher.Shrink(depth: share)).ParamName);
        }

        Assert.Contains("fc1.weight", Assert.ThrowsExactly<InvalidOperationException>(() => Network.Mlp(64, 30, 10).Shrink(width: 0.5)).Message);
        Refused(() => teacher.Shrink(depth: 0.5), "depth", "fc1 (Gemm), fc2 (Gemm)");
        Refused(() => Network.Mlp(4, 8, 8).Initialize(1).Shrink(depth: 0.5), "depth", "no layer but the last");
        Refused(() => Network.Mlp(64, 10).Initialize(1).Shrink(width: 0.5), "width", "fc1.weight");
        var sum = new Network(new NetworkParts
        {
            Inputs = [new("x", [-1, 4])],
            Outputs = ["y"],
            Nodes = [new Node("fc", "Gemm", ["x", "fc1.weight"], ["f"], [new("transB", 1L)]), new Node("sum", "Add", ["x", "f"], ["y"])],
            Parameters = [Network.Mlp(4, 4).Initialize(1)["fc1.weight"]],
        });
        Refused(() => sum.Shrink(depth: 0.5), "depth", "nothing to train");
    }

    private static Network Convolutional() => Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(),
        Layer.Dense(10));

    private static void Refused(Action action, string parameter, string named)
    {
        var error = Assert.ThrowsExactly<ArgumentException>(action);
        Assert.AreEqual(parameter, error.ParamName);
        Assert.Contains(named, error.Message);
    }

    /// <summary>The student runs in ONNX Runtime and gives outputs of the teacher's shapes.</summary>
    private static void SameOutputs(ZooModel model, Network teacher, Network student)
    {
        CollectionAssert.AreEqual(teacher.Inputs.ToArray(), student.Inputs.ToArray());
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            student.SaveOnnx(path);
            var inputs = model.Draw(seed: 2);
            var (expected, actual) = (Reference.Run(model.Path, inputs), Reference.Run(path, inputs));
            CollectionAssert.AreEqual(expected.Keys.ToArray(), actual.Keys.ToArray());
            foreach (var (output, (shape, _)) in expected)
            {
                CollectionAssert.AreEqual(shape, actual[output].Shape);
                Assert.IsTrue(actual[output].Values.All(float.IsFinite));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Describe(Parameter parameter) => $"{parameter.Name}[{string.Join(" x ", parameter.Shape)}]";

    private static void AreEqual(Parameter expected, Parameter actual)
    {
        Assert.AreEqual(Describe(expected), Describe(actual));
        Assert.IsTrue(expected.Values.SequenceEqual(actual.Values), $"values of {actual.Name}");
    }

    /// <summary>Squared norm of all weights of a group, from those of every slice.</summary>
    private static double Norm(Dictionary<(string, int), double[]> norms, PruningGroup group)
        => group.Members.Sum(member => norms.TryGetValue((member.Parameter, member.Dimension), out var slices) ? member.Indices.Sum(index => slices[index])
            : 0);

    /// <summary>Squared norm of each slice along a dimension.</summary>
    private static double[] Norms(Parameter parameter, int dimension)
    {
        var norms = new double[parameter.Shape[dimension]];
        var step = parameter.Shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
        for (var i = 0; i < parameter.Count; i++)
        {
            norms[i / step % norms.Length] += (double)parameter.Values[i] * parameter.Values[i];
        }

        return norms;
    }

    /// <summary>The indices of the largest sums, in order.</summary>
    private static int[] Largest(int count, double[] first, double[] second)
        => [.. Enumerable.Range(0, first.Length).OrderByDescending(i => first[i] + second[i]).Take(count).Order()];

    /// <summary>The slices of a parameter at those indices of a dimension.</summary>
    private static Parameter Part(Parameter parameter, int dimension, int[] indices)
    {
        var size = parameter.Shape[dimension];
        var step = parameter.Shape.Skip(dimension + 1).Aggregate(1, (product, next) => product * next);
        var shape = parameter.Shape.SetItem(dimension, indices.Length);
        var kept = indices.ToHashSet();
        return parameter.WithValues(shape, [.. parameter.Values.ToArray().Where((_, i) => kept.Contains(i / step % size))]);
    }
}
