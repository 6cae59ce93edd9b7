using System.Numerics.Tensors;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The least of a quadratic model of the loss over weights of which few may differ from zero: which those are, and their values, together (Yu et al. 2022,
/// "The Combinatorial Brain Surgeon"; Benbaki et al. 2023, "Fast as CHITA"). What goes first is chosen a part at a time, the others being solved for anew after
/// each; then weights that went change places with weights that stayed as long as the model falls (iterative hard thresholding in the metric of the diagonal,
/// each set of places solved to its end; Foucart 2011, "Hard Thresholding Pursuit").
/// </summary>
internal sealed class SparseQuadratic
{
    /// <summary>Share of what is left that goes at a time.</summary>
    private const double PartLost = 0.2;

    /// <summary>Products with H for the values of the weights that are left, at most: in between, and at the end.</summary>
    private const int Between = 10, End = 20;

    /// <summary>Changes of places that are tried for each part that went, and at most; of fewer places each time the model did not fall.</summary>
    private const int ChangesAPart = 2, Changes = 12;

    private readonly Func<ReadOnlySpan<float>, float[]> _times;
    private readonly float[] _weights;
    private readonly float[] _gradient;
    private readonly float[] _diagonal;
    private readonly float _ridge;

    /// <param name="times">H times a vector.</param>
    /// <param name="weights">Where the model touches the loss.</param>
    /// <param name="gradient">The gradient there.</param>
    /// <param name="diagonal">About the diagonal of H: it steers the search, and its precision is no matter for the result.</param>
    /// <param name="ridge">Added to H: what holds the weights where they are.</param>
    public SparseQuadratic(Func<ReadOnlySpan<float>, float[]> times, float[] weights, float[] gradient, float[] diagonal, float ridge)
    {
        (_times, _weights, _gradient, _ridge) = (times, weights, gradient, ridge);
        _diagonal = new float[diagonal.Length];
        TensorPrimitives.Add(diagonal, ridge, _diagonal);
    }

    /// <summary>Which places are kept, and the values there.</summary>
    /// <param name="start">Places that may be kept.</param>
    /// <param name="lost">Share of the places of <paramref name="start"/> that are to go, above 0.</param>
    /// <param name="select">
    /// The places that are kept, by a number for each, the least going first, of a share of those that are to go.
    /// </param>
    /// <returns>The values, zero where nothing is kept, and the numbers by which all that are to go were chosen.</returns>
    public (float[] Values, float[] Scores) Search(bool[] start, double lost, Func<float[], double, bool[]> select)
    {
        var (places, values, scores) = (start, Solve(_weights, start, Between), Array.Empty<float>());
        var parts = (int)Math.Ceiling(Math.Log(1 - lost) / Math.Log(1 - PartLost));
        for (var part = 1; part <= parts; part++)
        {
            scores = Worth(values, null, 0);
            places = select(scores, part == parts ? 1 : (1 - Math.Pow(1 - lost, (double)part / parts)) / lost);
            values = Solve(values, places, Between);
        }

        var (least, step) = (Value(values), 1f);
        // Where weights stand for each other, none of them seems worth much while all are there: what is large is the safer choice.
        var sizes = new float[_weights.Length];
        TensorPrimitives.Multiply(_weights, _weights, sizes);
        Try(sizes);
        for (var change = 0; change < Math.Min(Changes, parts * ChangesAPart); change++)
        {
            step = Try(Worth(values, Slope(values), step)) ? step : step / 2;
        }

        return (values, scores);

        bool Try(float[] other)
        {
            var chosen = select(other, 1);
            if (chosen.AsSpan().SequenceEqual(places) || Solve(values, chosen, Between) is var solved && Value(solved) is var value && !(value < least))
            {
                return false;
            }

            (least, places, values, scores) = (value, chosen, solved, other);
            return true;
        }
    }

    /// <summary>The best values at given places, by preconditioned conjugate gradients.</summary>
    /// <param name="values">Where to start.</param>
    /// <param name="places">The places.</param>
    /// <param name="most">Products with H at most.</param>
    public float[] Solve(ReadOnlySpan<float> values, ReadOnlySpan<bool> places, int most = End)
    {
        const float Enough = 1e-3f;
        var solved = values.ToArray();
        Clear(solved, places);
        var rest = Slope(solved);
        Clear(rest, places);
        TensorPrimitives.Negate(rest, rest);
        var (scaled, direction) = (new float[rest.Length], new float[rest.Length]);
        TensorPrimitives.Divide(rest, _diagonal, scaled);
        scaled.CopyTo(direction, 0);
        var size = Dot(rest, scaled);
        var first = size;
        for (var i = 0; i < most && size > Enough * Enough * first; i++)
        {
            var product = Times(direction);
            Clear(product, places);
            var curvature = Dot(direction, product);
            if (!(curvature > 0))
            {
                break;
            }

            var length = (float)(size / curvature);
            TensorPrimitives.MultiplyAdd(direction, length, solved, solved);
            TensorPrimitives.MultiplyAdd(product, -length, rest, rest);
            TensorPrimitives.Divide(rest, _diagonal, scaled);
            var next = Dot(rest, scaled);
            TensorPrimitives.MultiplyAdd(direction, (float)(next / size), scaled, direction);
            size = next;
        }

        return solved;
    }

    /// <summary>The model's loss, less that where it touches.</summary>
    public double Value(ReadOnlySpan<float> values)
    {
        var change = Change(values);
        return Dot(change, _gradient) + Dot(change, Times(change)) / 2;
    }

    /// <summary>
    /// What the model rises by without each weight, by the diagonal alone: half of d w^2 of the values after a step down the slope, of which the values at
    /// places that are kept know nothing any more.
    /// </summary>
    private float[] Worth(float[] values, float[]? slope, float step)
    {
        var worth = values.ToArray();
        if (slope is not null)
        {
            var down = new float[worth.Length];
            TensorPrimitives.Divide(slope, _diagonal, down);
            TensorPrimitives.MultiplyAdd(down, -step, worth, worth);
        }

        TensorPrimitives.Multiply(worth, worth, worth);
        TensorPrimitives.Multiply(worth, _diagonal, worth);
        TensorPrimitives.Multiply(worth, 0.5f, worth);
        return worth;
    }

    private float[] Slope(ReadOnlySpan<float> values)
    {
        var slope = Times(Change(values));
        TensorPrimitives.Add(slope, _gradient, slope);
        return slope;
    }

    private float[] Times(float[] vector)
    {
        var product = _times(vector);
        TensorPrimitives.MultiplyAdd(vector, _ridge, product, product);
        return product;
    }

    private float[] Change(ReadOnlySpan<float> values)
    {
        var change = new float[values.Length];
        TensorPrimitives.Subtract(values, _weights, change);
        return change;
    }

    private static void Clear(float[] values, ReadOnlySpan<bool> places)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = places[i] ? values[i] : 0;
        }
    }

    /// <summary>In double precision: of a million products of floats the sum of floats has three digits.</summary>
    private static double Dot(float[] a, float[] b)
    {
        const int Part = 4096;
        var sum = 0.0;
        for (var i = 0; i < a.Length; i += Part)
        {
            var length = Math.Min(Part, a.Length - i);
            sum += TensorPrimitives.Dot(a.AsSpan(i, length), b.AsSpan(i, length));
        }

        return sum;
    }
}
