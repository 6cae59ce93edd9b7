using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using TorchSharp;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Networks, rows and the importances that PyTorch computed for them, in double precision: test/peers/importance.py.</summary>
internal sealed record ImportanceFixture(ImportanceCase[] Cases)
{
    public static ImportanceCase Case(string name) => Fixture.Read<ImportanceFixture>("importance").Cases.Single(one => one.Name == name);
}

internal sealed record ImportanceCase(string Name, Dictionary<string, float[]> Values, float[][] Rows, int[] Targets, Dictionary<string, UnitStatistics> Units,
    Dictionary<string, Dictionary<string, float[]>> Scores)
{
    public Network Network()
    {
        var network = Name == "dense"
            ? MLNet.Pruning.Network.Sequential([5], Layer.Dense(8), Layer.Tanh(), Layer.Dense(6), Layer.Relu(), Layer.Dense(3))
            : MLNet.Pruning.Network.Sequential([2, 4, 4], Layer.Conv2d(4, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2),
                Layer.Conv2d(6, 2, stride: 2, groups: 2), Layer.Relu(), Layer.Flatten(), Layer.Dense(3));
        return network.WithParameters(network.Parameters.Select(parameter => parameter.WithValues(Values[parameter.Name])));
    }

    /// <summary>All rows for calibration, in batches of four or as asked.</summary>
    public CalibrationData Data(int batchSize = 4) => Calibrations.Of(Rows, Targets.Select(target => (float)target), LearningTask.Multiclass, Loss.CrossEntropy,
        batchSize);
}

internal sealed record UnitStatistics(float[] Mean, float[] Variance, float[] Nonzeros);

/// <summary>Rows as criteria get them.</summary>
internal static class Calibrations
{
    public static CalibrationData Of(float[][] rows, IEnumerable<float> targets, LearningTask task, Loss loss, int batchSize = 4)
    {
        var data = new TrainingData(rows[0].Length);
        foreach (var (row, target) in rows.Zip(targets))
        {
            row.CopyTo(data.Next());
            data.Add(target);
        }

        data.Split(0, 0);
        return new(data, task, loss, torch.CPU, batchSize, 0, default);
    }

    /// <summary>The criterion, measured.</summary>
    public static ImportanceScores On(this Importance importance, Network network, CalibrationData? data)
        => importance.Measure(new(new PrunedNetwork(network, System.Collections.Immutable.ImmutableDictionary<string, WeightMask>.Empty), data));

    public static float[] Weights(this ImportanceScores importance, Parameter parameter)
    {
        var scores = new float[parameter.Count];
        importance.ScoreWeights(parameter, 0, scores);
        return scores;
    }

    public static double[] Slices(this ImportanceScores importance, Parameter parameter, int dimension)
    {
        var scores = new double[parameter.Shape[dimension]];
        importance.ScoreSlices(parameter, dimension, scores);
        return scores;
    }
}

/// <summary>A criterion whose scores are measured already.</summary>
internal sealed class GivenScores(ImportanceScores scores) : Importance
{
    protected override ImportanceScores MeasureCore(ImportanceContext context) => scores;
}
