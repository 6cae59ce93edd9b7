using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Importances;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Products with a derivative that is never formed, against differences that form it.</summary>
[TestClass]
public class JacobianTests
{
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Products_are_those_with_the_matrix_of_differences(bool isKept)
    {
        var network = Network.Sequential([2, 5, 5], Layer.Conv2d(3, 3, stride: 2), Layer.BatchNorm(), Layer.Tanh(), Layer.Flatten(), Layer.Dense(2))
            .Initialize(3);
        float[][] rows = [.. Enumerable.Range(0, 3).Select(i => Enumerable.Range(0, 50).Select(j => MathF.Sin(i * 3.1f + j * 0.9f + 0.2f * i * j)).ToArray())];
        using var run = new CalibrationRun(new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty),
            Calibrations.Of(rows, [0, 1, 0], LearningTask.Multiclass, Loss.CrossEntropy), rows.Length);
        using var scope = NewDisposeScope();
        var parameters = new FlatTensors([.. run.Parameters.Select(parameter => parameter.Values)]);
        var read = tensor(rows.SelectMany(row => row).ToArray(), [3, 50]);
        // Outputs x parameters, column by column.
        const float Step = 1e-2f;
        var start = parameters.Read();
        double[][] columns = [.. Enumerable.Range(0, parameters.Length)
            .Select(i => At(i, Step).Zip(At(i, -Step), (up, down) => ((double)up - down) / (2 * Step)).ToArray())];
        Assert.IsTrue(columns.Any(column => column.Any(slope => Math.Abs(slope) > 0.1)));
        float[] direction = [.. start.Select((_, i) => MathF.Sin(i))];
        var cotangent = Enumerable.Range(0, 6).Select(i => MathF.Cos(2 * i)).ToArray();
        for (var repeat = 0; repeat < (isKept ? 2 : 1); repeat++)
        {
            var jacobian = new Jacobian(run.Graph.Forward(read), parameters.Tensors, isKept);
            var product = jacobian.Times(parameters.Split(direction)).data<float>().ToArray();
            for (var k = 0; k < 6; k++)
            {
                Assert.AreEqual(columns.Select((column, i) => column[k] * direction[i]).Sum(), product[k], 2e-3, $"output {k}");
            }

            var transposed = new float[parameters.Length];
            parameters.Add(jacobian.TransposedTimes(tensor(cotangent, [3, 2])), transposed);
            for (var i = 0; i < transposed.Length; i++)
            {
                Assert.AreEqual(columns[i].Select((slope, k) => slope * cotangent[k]).Sum(), transposed[i], 2e-3, $"parameter {i}");
            }
        }

        float[] At(int place, float step)
        {
            var moved = start.ToArray();
            moved[place] += step;
            using var noGrad = no_grad();
            using var inner = NewDisposeScope();
            Set(moved);
            var outputs = run.Graph.Forward(read).data<float>().ToArray();
            Set(start);
            return outputs;
        }

        void Set(float[] values)
        {
            foreach (var (tensor, value) in parameters.Tensors.Zip(parameters.Split(values)))
            {
                tensor.copy_(value);
            }
        }
    }

    [TestMethod]
    public void What_the_output_does_not_depend_on_has_no_slope()
    {
        using var scope = NewDisposeScope();
        var (used, other) = (ones([2], requires_grad: true), ones([3], requires_grad: true));
        var jacobian = new Jacobian(used * used, [used, other], isKept: true);
        var slopes = jacobian.TransposedTimes(ones([2]));
        CollectionAssert.AreEqual(new[] { 2f, 2f }, slopes[0]!.data<float>().ToArray());
        Assert.IsNull(slopes[1]);
        CollectionAssert.AreEqual(new[] { 6f, 8f }, jacobian.Times([tensor(new[] { 3f, 4f }), ones([3])]).data<float>().ToArray());
    }
}
