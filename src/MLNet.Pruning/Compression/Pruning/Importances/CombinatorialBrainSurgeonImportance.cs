using System.Numerics.Tensors;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Which weights go, and what the others become, at once for all layers: the least of a quadratic model of the loss over networks with so many weights; see
/// <see cref="SparseQuadratic"/> and <see cref="QuadraticModel"/>. Each step of a schedule makes the model anew, on rows that had no turn yet.
/// </summary>
internal sealed class CombinatorialBrainSurgeonImportance : CalibratedImportance
{
    /// <summary>How often the way to the best values is halved.</summary>
    private const int Halvings = 10;

    /// <summary>The least mean curvature that the ridge goes by: below it floats have no room for products.</summary>
    private const float LeastCurvature = 1e-12f;

    private readonly int _rows;
    private readonly double _ridge;
    private readonly Curvature _curvature;

    public CombinatorialBrainSurgeonImportance(int rows, double ridge, Curvature curvature) : base(nameof(CombinatorialBrainSurgeon), rows, ridge, curvature)
    {
        (_rows, _curvature) = (Rows(rows), Setting.Defined(curvature, nameof(curvature)));
        _ridge = ridge is > 0 and < double.PositiveInfinity ? ridge
            : throw new ArgumentOutOfRangeException(nameof(ridge), ridge, "The ridge is a finite number above 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = Start(context);
        using var model = new QuadraticModel(run, _curvature);
        var worth = model.Weights.ToArray();
        TensorPrimitives.Multiply(worth, worth, worth);
        TensorPrimitives.Multiply(worth, model.Diagonal, worth);
        TensorPrimitives.Multiply(worth, 0.5f, worth);
        return new Found(this, context, ImportanceScores.OfWeights(Name, Cut(run, model, worth), context.Masks), model.Diagonal, null);
    }

    private CalibrationRun Start(ImportanceContext context)
    {
        var run = context.Start(Name, _rows, others: true);
        LossCurvature.Check(Name, run.LossKind);
        return run;
    }

    private SparseQuadratic Search(QuadraticModel model)
    {
        // Where no row has a slope at all, anything that holds the weights will do.
        var mean = TensorPrimitives.Sum<float>(model.Diagonal) / model.Diagonal.Length;
        mean = mean > 0 ? Math.Max(mean, LeastCurvature) : 1;
        return new(model.Times, model.Weights, model.Gradient, model.Diagonal, (float)(_ridge * mean));
    }

    private static Dictionary<string, float[]> Cut(CalibrationRun run, QuadraticModel model, float[] values)
        => run.Parameters.Index().ToDictionary(parameter => parameter.Item.Name, parameter => values[model.Place(parameter.Index)]);

    /// <summary>Places of all parameters that masks keep.</summary>
    private static bool[] Places(CalibrationRun run, QuadraticModel model, IReadOnlyDictionary<string, WeightMask> masks)
    {
        var places = new bool[model.Weights.Length];
        places.AsSpan().Fill(true);
        foreach (var (i, (name, _)) in run.Parameters.Index())
        {
            if (masks.TryGetValue(name, out var mask))
            {
                var part = places.AsSpan(model.Place(i));
                for (var j = 0; j < part.Length; j++)
                {
                    part[j] = mask[j];
                }
            }
        }

        return places;
    }

    private static int Count(bool[] places) => places.AsSpan().Count(true);

    /// <param name="criterion">What measured them.</param>
    /// <param name="context">The network and its rows.</param>
    /// <param name="scores">One a weight.</param>
    /// <param name="diagonal">Of the model's matrix.</param>
    /// <param name="values">The values that the search ended with, by parameter; null before it.</param>
    private sealed class Found(CombinatorialBrainSurgeonImportance criterion, ImportanceContext context, ImportanceScores scores, float[] diagonal,
        float[]? values) : ImportanceScores
    {
        public override string? ToString() => scores.ToString();

        internal override ImportanceScores Toward(StepAmount amount)
        {
            var left = amount.Drop(scores, 1);
            if (left == context.Pruned || !IsOfModel(left))
            {
                return this;
            }

            using var run = criterion.Start(context);
            using var model = new QuadraticModel(run, criterion._curvature, diagonal);
            var start = Places(run, model, context.Masks);
            // Where nothing at all is to stay, the last part takes the last weight too.
            var lost = 1 - Math.Max(1, Count(Places(run, model, left.Masks))) / (double)Count(start);
            var (found, worth) = criterion.Search(model).Search(start, lost, (numbers, share)
                => Places(run, model, amount.Drop(ImportanceScores.OfWeights(criterion.Name, Cut(run, model, numbers), context.Masks), share).Masks));
            return new Found(criterion, context, ImportanceScores.OfWeights(criterion.Name, Cut(run, model, worth), context.Masks), diagonal, found);
        }

        internal override PrunedNetwork Compensate(PrunedNetwork pruned)
        {
            if (!IsOfModel(pruned))
            {
                return pruned;
            }

            using var run = criterion.Start(context);
            using var model = new QuadraticModel(run, criterion._curvature, diagonal);
            var places = Places(run, model, pruned.Masks);
            var solved = Cut(run, model, Fallen(model, places, criterion.Search(model).Solve(values ?? model.Weights, places)));
            return pruned.WithWeights(pruned.Weights.WithParameters(solved.Select(parameter => pruned.Weights[parameter.Key].WithValues(parameter.Value))));
        }

        /// <summary>
        /// The values that the model says are best, or so much of the way there that the loss itself is no more than where nothing makes up for what went: of
        /// a network that is wrong and sure of it the curvature is next to nothing, and the way leads far beyond what the model knows.
        /// </summary>
        private static float[] Fallen(QuadraticModel model, bool[] places, float[] solved)
        {
            float[] plain = [.. model.Weights.Select((weight, i) => places[i] ? weight : 0)];
            var (most, change) = (model.Loss(plain), new float[plain.Length]);
            TensorPrimitives.Subtract(solved, plain, change);
            for (var halving = 0; halving < Halvings; halving++)
            {
                var next = new float[plain.Length];
                TensorPrimitives.MultiplyAdd(change, MathF.Pow(0.5f, halving), plain, next);
                if (model.Loss(next) <= most)
                {
                    return next;
                }
            }

            return plain;
        }

        /// <summary>What is removed leaves other sizes behind, for which the model has no numbers.</summary>
        private bool IsOfModel(PrunedNetwork pruned) => pruned.Weights.Graph == context.Pruned.Weights.Graph;

        private protected override void Weights(Parameter parameter, int start, Span<float> weights) => scores.ScoreWeights(parameter, start, weights);
    }
}
