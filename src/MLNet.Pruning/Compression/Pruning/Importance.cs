namespace MLNet.Pruning;

/// <summary>
/// What a weight, or a slice of weights, is worth: the least important goes first. A criterion of your own derives from this class.
/// </summary>
public abstract class Importance
{
    /// <summary>Absolute value of single weights; sum of absolute values of slices (Han et al. 2015, Li et al. 2017).</summary>
    public static Importance L1 { get; } = Magnitude(1);

    /// <summary>Absolute value of single weights; Euclidean norm of slices.</summary>
    public static Importance L2 { get; } = Magnitude(2);

    /// <summary>Absolute value of single weights; Lp norm of slices.</summary>
    /// <param name="p">Order of the norm; positive and negative infinity take the largest and the smallest absolute value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not a number.</exception>
    public static Importance Magnitude(double p = 1) => new MagnitudeImportance(p);

    /// <summary>Uniform random numbers: the baseline every criterion has to beat.</summary>
    /// <param name="seed">Same seed, same choice.</param>
    public static Importance Random(int seed = 0) => new RandomImportance(seed);

    /// <summary>
    /// Scores consecutive single weights. Called more than once for the same weights, from several threads, and has to give the same
    /// numbers each time.
    /// </summary>
    /// <param name="parameter">The parameter with its values.</param>
    /// <param name="start">Row-major index of the first weight.</param>
    /// <param name="scores">Receives one score a weight; any finite or infinite number, but not NaN.</param>
    public abstract void ScoreWeights(Parameter parameter, int start, Span<float> scores);

    /// <summary>Scores the slices of a parameter along a dimension; by default the sum of their weights' scores.</summary>
    /// <param name="parameter">The parameter with its values, weights already dropped at zero.</param>
    /// <param name="dimension">From 0 to the number of dimensions - 1.</param>
    /// <param name="scores">Receives one score for each index of the dimension; not NaN.</param>
    public virtual void ScoreSlices(Parameter parameter, int dimension, Span<double> scores)
    {
        var weights = new float[parameter.Count];
        ScoreWeights(parameter, 0, weights);
        scores.Clear();
        foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, dimension))
        {
            foreach (var score in weights.AsSpan(start, length))
            {
                scores[slice] += score;
            }
        }
    }
}
