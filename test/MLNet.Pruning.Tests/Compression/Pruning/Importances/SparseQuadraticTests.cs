using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>The search for few weights against all choices there are, each solved by elimination.</summary>
[TestClass]
public class SparseQuadraticTests
{
    private const int Count = 12;
    private const float Ridge = 0.05f;

    [TestMethod]
    [DataRow(3)]
    [DataRow(6)]
    [DataRow(9)]
    public void The_choice_is_nearly_the_best_of_all_and_better_than_by_size(int kept)
    {
        var (nearly, better, searches) = (0, 0, 40);
        for (var seed = 0; seed < searches; seed++)
        {
            var (matrix, weights, gradient) = Draw(seed);
            var (values, _) = Search(matrix, weights, gradient).Search(All(), 1 - (double)kept / Count, Largest(kept));
            Assert.AreEqual(kept, values.Count(value => value != 0));
            var found = Value(matrix, weights, gradient, [.. values.Select(value => (double)value)]);
            var best = Subsets(kept).Min(places => Least(matrix, weights, gradient, places).Value);
            var bySize = Least(matrix, weights, gradient, Largest(kept)([.. weights.Select(MathF.Abs)], 1)).Value;
            Assert.IsGreaterThanOrEqualTo(best - 1e-4, found);
            Assert.IsLessThanOrEqualTo(bySize + 1e-4, found, $"seed {seed}");
            nearly += found - best <= 0.02 * (bySize - best) + 1e-5 ? 1 : 0;
            better += found < bySize - 1e-5 ? 1 : 0;
        }

        Assert.IsGreaterThan(0.5 * searches, nearly);
        Assert.IsGreaterThan(0.3 * searches, better);
    }

    [TestMethod]
    public void Values_at_given_places_are_those_of_the_system_of_equations()
    {
        var (matrix, weights, gradient) = Draw(3);
        bool[] places = [.. Enumerable.Range(0, Count).Select(i => i % 3 != 1)];
        var solved = Search(matrix, weights, gradient).Solve(weights, places);
        var expected = Least(matrix, weights, gradient, places).Values;
        for (var i = 0; i < Count; i++)
        {
            Assert.AreEqual(expected[i], solved[i], 2e-3, $"weight {i}");
        }
    }

    [TestMethod]
    public void Directions_without_curvature_are_held_by_the_ridge_alone()
    {
        // Two inputs that no row has: their weights stay, and the others are found all the same.
        var (matrix, weights, gradient) = Draw(5);
        foreach (var dead in new[] { 2, 7 })
        {
            gradient[dead] = 0;
            for (var i = 0; i < Count; i++)
            {
                matrix[dead][i] = matrix[i][dead] = 0;
            }
        }

        var solved = Search(matrix, weights, gradient).Solve(weights, All());
        Assert.AreEqual(weights[2], solved[2]);
        Assert.AreEqual(weights[7], solved[7]);
        Assert.IsTrue(solved.All(float.IsFinite));
    }

    private static bool[] All() => [.. Enumerable.Repeat(true, Count)];

    private static SparseQuadratic Search(double[][] matrix, float[] weights, float[] gradient) => new(vector =>
    {
        var given = vector.ToArray();
        return [.. matrix.Select(row => (float)row.Zip(given, (a, b) => a * b).Sum())];
    }, weights, gradient, [.. matrix.Select((row, i) => (float)row[i])], Ridge);

    /// <summary>So many of the largest, or more of them as long as not all that are to go went.</summary>
    private static Func<float[], double, bool[]> Largest(int kept) => (numbers, share) =>
    {
        var left = Count - (int)Math.Round(share * (Count - kept));
        var places = new bool[Count];
        foreach (var i in Enumerable.Range(0, Count).OrderByDescending(i => numbers[i]).Take(left))
        {
            places[i] = true;
        }

        return places;
    };

    private static IEnumerable<bool[]> Subsets(int kept) => Enumerable.Range(0, 1 << Count).Where(bits => int.PopCount(bits) == kept)
        .Select(bits => Enumerable.Range(0, Count).Select(i => (bits >> i & 1) == 1).ToArray());

    /// <summary>Second moments of correlated inputs, weights, and the gradient of a network that is nearly trained.</summary>
    private static (double[][] Matrix, float[] Weights, float[] Gradient) Draw(int seed)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double[][] rows = [.. Enumerable.Range(0, 30).Select(_ => Normal() is var common
            ? Enumerable.Range(0, Count).Select(i => common + Normal() * (0.3 + 0.2 * i)).ToArray() : [])];
        double[][] matrix = [.. Enumerable.Range(0, Count).Select(i
            => Enumerable.Range(0, Count).Select(j => rows.Sum(row => row[i] * row[j]) / 30).ToArray())];
        return (matrix, [.. Enumerable.Range(0, Count).Select(_ => (float)Normal())], [.. Enumerable.Range(0, Count).Select(_ => (float)(0.1 * Normal()))]);
    }

    private static double Value(double[][] matrix, float[] weights, float[] gradient, double[] values)
    {
        double[] change = [.. values.Zip(weights, (value, weight) => value - weight)];
        return Enumerable.Range(0, Count).Sum(i
            => change[i] * (gradient[i] + 0.5 * (Ridge * change[i] + Enumerable.Range(0, Count).Sum(j => matrix[i][j] * change[j]))));
    }

    private static (double Value, double[] Values) Least(double[][] matrix, float[] weights, float[] gradient, bool[] places)
    {
        int[] kept = [.. Enumerable.Range(0, Count).Where(i => places[i])], gone = [.. Enumerable.Range(0, Count).Where(i => !places[i])];
        double At(int i, int j) => matrix[i][j] + (i == j ? Ridge : 0);
        // (H x)_K = (H w)_K - g_K with x_D = 0.
        double[][] system = [.. kept.Select(i => kept.Select(j => At(i, j)).Append(Enumerable.Range(0, Count).Sum(j => At(i, j) * weights[j]) - gradient[i])
            .ToArray())];
        for (var p = 0; p < kept.Length; p++)
        {
            for (var i = 0; i < kept.Length; i++)
            {
                var factor = i == p ? 0 : system[i][p] / system[p][p];
                for (var j = 0; j <= kept.Length; j++)
                {
                    system[i][j] -= factor * system[p][j];
                }
            }
        }

        var values = new double[Count];
        for (var i = 0; i < kept.Length; i++)
        {
            values[kept[i]] = system[i][^1] / system[i][i];
        }

        return (Value(matrix, weights, gradient, values), values);
    }
}
