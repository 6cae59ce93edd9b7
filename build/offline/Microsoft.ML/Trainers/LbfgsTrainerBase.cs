using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

public abstract class LbfgsTrainerBase<TOptions, TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
    where TOptions : LbfgsTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
{
    /// <summary>Rows a partial sum covers: fixed, so that sums are the same on any number of cores.</summary>
    private const int RowsPerPartialSum = 2048;

    private const int MaxPartialSums = 16;

    private static readonly TrainerInfo _info = new(normalization: true, caching: true);

    internal LbfgsTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env.Register("LbfgsTrainerBase"), TrainerColumns.Features(options.FeatureColumnName), label,
            TrainerColumns.Weight(options.ExampleWeightColumnName))
    {
        Contracts.CheckNonEmpty(options.FeatureColumnName);
        Contracts.CheckNonEmpty(options.LabelColumnName);
        Contracts.CheckParam(options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be positive (or empty for default)");
        Contracts.CheckParam(options.L2Regularization >= 0, nameof(options.L2Regularization), "Must be non-negative");
        Contracts.CheckParam(options.L1Regularization >= 0, nameof(options.L1Regularization), "Must be non-negative");
        Contracts.CheckParam(options.OptimizationTolerance > 0, nameof(options.OptimizationTolerance), "Must be positive");
        Contracts.CheckParam(options.HistorySize > 0, nameof(options.HistorySize), "Must be positive");
        Contracts.CheckParam(options.MaximumNumberOfIterations > 0, nameof(options.MaximumNumberOfIterations), "Must be positive");
        TrainerOptions = options;
    }

    public override TrainerInfo Info => _info;

    private protected TOptions TrainerOptions { get; }

    private protected sealed override TModel TrainModel(IDataView data, TModel? initial)
    {
        using var channel = Host.Start("Training");
        int classCount = GetClassCount(data.Schema[LabelColumn.Name]);
        var rows = ReadTrainingSet(data, channel);
        var point = initial is null ? InitialPoint(classCount * (1 + rows.FeatureCount)) : FromModel(initial, classCount, rows.FeatureCount);
        var minimizer = new Lbfgs
        {
            HistorySize = TrainerOptions.HistorySize,
            MaxIterations = TrainerOptions.MaximumNumberOfIterations,
            L1 = TrainerOptions.L1Regularization / (double)rows.Count,
            UnpenalizedCount = classCount,
            NonNegative = TrainerOptions.EnforceNonNegativity,
        };
        double value = minimizer.Minimize(new Objective(this, rows, classCount).Evaluate, point, MakeTermination());
        channel.Trace(MessageSensitivity.None, "Minimum reached: {0}", value);
        return CreateModel(point, classCount);
    }

    /// <summary>One set of weights a class; a binary trainer has one in all.</summary>
    private protected abstract int GetClassCount(DataViewSchema.Column label);

    private protected abstract Terminates MakeTermination();

    /// <summary>Adds a row's gradient and returns its loss. Biases come first, then the weights class by class.</summary>
    private protected abstract double Accumulate(
        in VBuffer<float> features, float label, double weight, ReadOnlySpan<double> point, Span<double> gradient, Span<double> scores);

    private protected abstract TModel CreateModel(double[] point, int classCount);

    /// <summary>The starting point of training that goes on from a model; refuses one of another shape.</summary>
    private protected abstract double[] FromModel(TModel model, int classCount, int featureCount);

    private protected static void CheckShape(int modelFeatures, int featureCount)
    {
        if (modelFeatures != featureCount)
        {
            throw new InvalidOperationException(
                "The input training data must have the same features used to train the input predictor: "
                + $"it has {featureCount}, the predictor {modelFeatures}.");
        }
    }

    private double[] InitialPoint(int size)
    {
        var point = new double[size];
        if (TrainerOptions.InitialWeightsDiameter > 0)
        {
            for (int i = 0; i < size; i++)
            {
                point[i] = TrainerOptions.InitialWeightsDiameter * (Host.Rand.NextDouble() - 0.5);
            }
        }

        return point;
    }

    /// <summary>The weighted mean loss with its L2 term, summed over fixed groups of rows in parallel.</summary>
    private sealed class Objective
    {
        private readonly LbfgsTrainerBase<TOptions, TTransformer, TModel> _trainer;
        private readonly TrainingSet _rows;
        private readonly int _classCount;
        private readonly double[] _losses;
        private readonly double[][] _gradients;
        private readonly double[][] _scores;
        private readonly ParallelOptions _parallel;

        public Objective(LbfgsTrainerBase<TOptions, TTransformer, TModel> trainer, TrainingSet rows, int classCount)
        {
            _trainer = trainer;
            _rows = rows;
            _classCount = classCount;
            int sums = Math.Clamp(rows.Count / RowsPerPartialSum, 1, MaxPartialSums);
            _losses = new double[sums];
            _gradients = new double[sums][];
            _scores = new double[sums][];
            for (int i = 0; i < sums; i++)
            {
                _gradients[i] = new double[classCount * (1 + rows.FeatureCount)];
                _scores[i] = new double[classCount];
            }

            _parallel = new ParallelOptions { MaxDegreeOfParallelism = trainer.TrainerOptions.NumberOfThreads ?? -1 };
        }

        public double Evaluate(double[] point, double[] gradient)
        {
            Parallel.For(0, _losses.Length, _parallel, sum => Sum(sum, point));
            double loss = 0;
            Array.Clear(gradient);
            for (int sum = 0; sum < _losses.Length; sum++)
            {
                loss += _losses[sum];
                double[] partial = _gradients[sum];
                for (int i = 0; i < gradient.Length; i++)
                {
                    gradient[i] += partial[i];
                }
            }

            double l2 = _trainer.TrainerOptions.L2Regularization;
            double squares = 0;
            for (int i = _classCount; i < point.Length; i++)
            {
                squares += point[i] * point[i];
                gradient[i] += l2 * point[i];
            }

            for (int i = 0; i < gradient.Length; i++)
            {
                gradient[i] /= _rows.WeightSum;
            }

            return (loss + l2 / 2 * squares) / _rows.WeightSum;
        }

        private void Sum(int sum, double[] point)
        {
            double[] gradient = _gradients[sum];
            Array.Clear(gradient);
            double loss = 0;
            int end = (int)((long)_rows.Count * (sum + 1) / _losses.Length);
            for (int row = (int)((long)_rows.Count * sum / _losses.Length); row < end; row++)
            {
                loss += _trainer.Accumulate(in _rows.Features[row], _rows.Labels[row], _rows.WeightAt(row), point, gradient, _scores[sum]);
            }

            _losses[sum] = loss;
        }
    }

    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float L2Regularization = 1;

        public float L1Regularization = 1;

        public float OptimizationTolerance = 1e-7f;

        public int HistorySize = 20;

        public int MaximumNumberOfIterations = int.MaxValue;

        public float InitialWeightsDiameter;

        public int? NumberOfThreads;

        public bool EnforceNonNegativity;

        protected OptionsBase()
        {
        }
    }
}
