using System.Numerics;

namespace Microsoft.ML.Trainers;

/// <summary>A smooth function of many variables: returns its value at <paramref name="point"/> and fills in the gradient.</summary>
internal delegate double DifferentiableFunction(double[] point, double[] gradient);

/// <summary>Decides after every iteration whether the last improvements were small enough.</summary>
internal delegate bool Terminates(int iteration, double previousValue, double value);

/// <summary>
/// Limited-memory BFGS (Liu and Nocedal 1989) with the orthant-wise steps of OWL-QN (Andrew and Gao 2007) for an L1 term,
/// and with projection where weights may not be negative. The variables before <see cref="UnpenalizedCount"/> are biases:
/// no L1 term applies to them.
/// </summary>
internal sealed class Lbfgs
{
    private const double SufficientDecrease = 1e-4;
    private const int MaxBacktracks = 60;

    public required int HistorySize { get; init; }
    public required int MaxIterations { get; init; }
    public double L1 { get; init; }
    public int UnpenalizedCount { get; init; }
    public bool NonNegative { get; init; }

    /// <summary>Minimizes in place and returns the value reached, L1 term included.</summary>
    public double Minimize(DifferentiableFunction function, double[] point, Terminates terminates)
    {
        int size = point.Length;
        var history = new Queue<(double[] Step, double[] Change, double Inverse)>();
        var gradient = new double[size];
        var steepest = new double[size];
        var direction = new double[size];
        var next = new double[size];
        var nextGradient = new double[size];
        if (NonNegative)
        {
            for (int i = 0; i < size; i++)
            {
                point[i] = Math.Max(0, point[i]);
            }
        }

        double value = function(point, gradient) + Penalty(point);

        for (int iteration = 1; iteration <= MaxIterations; iteration++)
        {
            SteepestDescent(point, gradient, steepest);
            double norm = Math.Sqrt(Dot(steepest, steepest));
            if (norm == 0)
            {
                break;
            }

            Precondition(steepest, history, direction);
            // A component that leaves the orthant (or the feasible side) the gradient points to would make the model of the
            // function invalid there.
            if (L1 > 0 || NonNegative)
            {
                for (int i = 0; i < size; i++)
                {
                    if (direction[i] * steepest[i] <= 0 && IsConstrained(i))
                    {
                        direction[i] = 0;
                    }
                }
            }

            double step = history.Count == 0 ? Math.Min(1, 1 / norm) : 1;
            double nextValue = value;
            bool found = false;
            for (int trial = 0; trial < MaxBacktracks && !found; trial++, step /= 2)
            {
                double expected = 0;
                for (int i = 0; i < size; i++)
                {
                    next[i] = Project(i, point[i], point[i] + step * direction[i], steepest[i]);
                    expected += steepest[i] * (next[i] - point[i]);
                }

                nextValue = function(next, nextGradient) + Penalty(next);
                found = expected > 0 && nextValue <= value - SufficientDecrease * expected;
            }

            if (!found)
            {
                // Rounding has eaten the improvement the curvature promised: once from scratch, then this is the minimum.
                if (history.Count == 0)
                {
                    break;
                }

                history.Clear();
                continue;
            }

            Remember(history, point, next, gradient, nextGradient);
            (gradient, nextGradient) = (nextGradient, gradient);
            next.CopyTo(point, 0);
            double previous = value;
            value = nextValue;
            if (terminates(iteration, previous, value))
            {
                break;
            }
        }

        return value;
    }

    private bool IsConstrained(int i) => NonNegative || i >= UnpenalizedCount;

    private double Penalty(double[] point)
    {
        if (L1 == 0)
        {
            return 0;
        }

        double sum = 0;
        for (int i = UnpenalizedCount; i < point.Length; i++)
        {
            sum += Math.Abs(point[i]);
        }

        return L1 * sum;
    }

    private void SteepestDescent(double[] point, double[] gradient, double[] steepest)
    {
        for (int i = 0; i < point.Length; i++)
        {
            double l1 = i >= UnpenalizedCount ? L1 : 0;
            double x = point[i], g = gradient[i];
            double slope = x > 0 ? g + l1 : x < 0 ? g - l1 : g + l1 < 0 ? g + l1 : g - l1 > 0 ? g - l1 : 0;
            if (NonNegative && x <= 0 && slope > 0)
            {
                slope = 0;
            }

            steepest[i] = -slope;
        }
    }

    private double Project(int i, double from, double to, double steepest)
    {
        if (NonNegative)
        {
            return Math.Max(0, to);
        }

        if (L1 == 0 || i < UnpenalizedCount)
        {
            return to;
        }

        int orthant = from != 0 ? Math.Sign(from) : Math.Sign(steepest);
        return Math.Sign(to) == orthant ? to : 0;
    }

    private void Remember(Queue<(double[] Step, double[] Change, double Inverse)> history,
        double[] point, double[] next, double[] gradient, double[] nextGradient)
    {
        var (step, change) = history.Count == HistorySize
            ? (history.Peek().Step, history.Dequeue().Change)
            : (new double[point.Length], new double[point.Length]);
        for (int i = 0; i < point.Length; i++)
        {
            step[i] = next[i] - point[i];
            change[i] = nextGradient[i] - gradient[i];
        }

        double curvature = Dot(step, change);
        if (curvature > 1e-300)
        {
            history.Enqueue((step, change, 1 / curvature));
        }
    }

    /// <summary>The two-loop recursion: multiplies by the approximation of the inverse Hessian.</summary>
    private static void Precondition(double[] steepest, Queue<(double[] Step, double[] Change, double Inverse)> history, double[] direction)
    {
        steepest.CopyTo(direction, 0);
        if (history.Count == 0)
        {
            return;
        }

        var pairs = history.ToArray();
        Span<double> alphas = pairs.Length <= 64 ? stackalloc double[pairs.Length] : new double[pairs.Length];
        for (int k = pairs.Length - 1; k >= 0; k--)
        {
            alphas[k] = pairs[k].Inverse * Dot(pairs[k].Step, direction);
            AddMultiple(direction, -alphas[k], pairs[k].Change);
        }

        var (_, change, inverse) = pairs[^1];
        double scale = 1 / (inverse * Dot(change, change));
        for (int i = 0; i < direction.Length; i++)
        {
            direction[i] *= scale;
        }

        for (int k = 0; k < pairs.Length; k++)
        {
            AddMultiple(direction, alphas[k] - pairs[k].Inverse * Dot(pairs[k].Change, direction), pairs[k].Step);
        }
    }

    private static double Dot(double[] left, double[] right)
    {
        var sum = Vector<double>.Zero;
        int i = 0;
        for (; i <= left.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            sum += new Vector<double>(left, i) * new Vector<double>(right, i);
        }

        double total = Vector.Sum(sum);
        for (; i < left.Length; i++)
        {
            total += left[i] * right[i];
        }

        return total;
    }

    private static void AddMultiple(double[] target, double factor, double[] source)
    {
        int i = 0;
        for (; i <= target.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            (new Vector<double>(target, i) + factor * new Vector<double>(source, i)).CopyTo(target, i);
        }

        for (; i < target.Length; i++)
        {
            target[i] += factor * source[i];
        }
    }
}
