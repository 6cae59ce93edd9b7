using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataOperationsCatalog
{
    public TrainTestData TrainTestSplit(IDataView data, double testFraction = 0.1, string? samplingKeyColumnName = null, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        Contracts.CheckParam(testFraction is > 0 and < 1, nameof(testFraction), $"Must be between 0 and 1 exclusive, not {testFraction}");
        var sampling = Sampling.Create(data, samplingKeyColumnName, SeedOf(_env, seed));
        return new TrainTestData(
            sampling.Rows(0, testFraction, includeUpper: false, complement: true),
            sampling.Rows(0, testFraction, includeUpper: false, complement: false));
    }

    public IReadOnlyList<TrainTestData> CrossValidationSplit(
        IDataView data, int numberOfFolds = 5, string? samplingKeyColumnName = null, int? seed = null) =>
        CrossValidationSplit(_env, data, numberOfFolds, samplingKeyColumnName, seed);

    internal static IReadOnlyList<TrainTestData> CrossValidationSplit(
        IHostEnvironment env, IDataView data, int numberOfFolds, string? samplingKeyColumnName, int? seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        Contracts.CheckParam(numberOfFolds > 1, nameof(numberOfFolds), $"Must be more than 1, not {numberOfFolds}");
        var sampling = Sampling.Create(data, samplingKeyColumnName, SeedOf(env, seed));
        var folds = new TrainTestData[numberOfFolds];
        for (int fold = 0; fold < numberOfFolds; fold++)
        {
            double lower = (double)fold / numberOfFolds;
            double upper = (double)(fold + 1) / numberOfFolds;
            folds[fold] = new TrainTestData(
                sampling.Rows(lower, upper, includeUpper: true, complement: true),
                sampling.Rows(lower, upper, includeUpper: true, complement: false));
        }

        return folds;
    }

    // Without a seed of the caller's or the context's every split is another.
    private static int SeedOf(IHostEnvironment env, int? seed) =>
        seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();

    public readonly struct TrainTestData
    {
        public readonly IDataView TrainSet;

        public readonly IDataView TestSet;

        internal TrainTestData(IDataView trainSet, IDataView testSet)
        {
            TrainSet = trainSet;
            TestSet = testSet;
        }
    }
}
