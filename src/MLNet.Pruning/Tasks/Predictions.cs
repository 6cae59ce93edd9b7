using MLNet.Pruning.Tasks;

namespace MLNet.Pruning;

/// <summary>What a model says of rows, beside their labels: what a metric is a function of.</summary>
public sealed class Predictions
{
    private readonly float[] _scores;
    private readonly float[] _labels;
    private readonly float[]? _weights;

    /// <param name="task">What the scores mean.</param>
    /// <param name="scores">
    /// Row by row as many as there are outputs: of classes their logits, of binary classification one, the logit of the positive class, of regression the
    /// value.
    /// </param>
    /// <param name="labels">One a row: the index of the class, 1 or 0 for the positive and the negative class, or the value to predict.</param>
    /// <param name="weights">One a row, not negative: how often it counts; null for once each.</param>
    /// <exception cref="ArgumentException">There are no rows, or the numbers do not go together.</exception>
    public Predictions(LearningTask task, float[] scores, float[] labels, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Length == 0 || scores.Length == 0 || scores.Length % labels.Length != 0)
        {
            throw new ArgumentException($"{scores.Length} scores are not so many for each of {labels.Length} rows.", nameof(scores));
        }

        (Task, Rows, Outputs) = (task ?? throw new ArgumentNullException(nameof(task)), labels.Length, scores.Length / labels.Length);
        if (task.HasOutputPerClass ? Outputs < 2 : Outputs != 1)
        {
            var expected = task.HasOutputPerClass ? "a score for each of several classes" : "one score a row";
            throw new ArgumentException($"A {task} task has {expected}, not {Outputs}.", nameof(scores));
        }

        if (weights is not null && (weights.Length != Rows || !weights.All(weight => weight >= 0 && float.IsFinite(weight))))
        {
            throw new ArgumentException($"There are to be {Rows} weights, one a row, finite and not negative.", nameof(weights));
        }

        bool IsLabel(float label) => Classes == 0 ? float.IsFinite(label) : label >= 0 && label < Classes && label == MathF.Floor(label);
        if (Array.FindIndex(labels, label => !IsLabel(label)) is >= 0 and var odd)
        {
            var expected = Classes == 0 ? "it has to be finite" : $"classes are numbered from 0 to {Classes - 1}";
            throw new ArgumentException($"The label of row {odd} is {labels[odd]}; {expected}.", nameof(labels));
        }

        (_scores, _labels, _weights) = (scores, labels, weights);
    }

    /// <summary>Rows of others, which were checked with them: bounds with confidence draw a thousand times.</summary>
    private Predictions(Predictions others, float[] scores, float[] labels)
        => (Task, Rows, Outputs, Logit, _scores, _labels) = (others.Task, labels.Length, others.Outputs, others.Logit, scores, labels);

    /// <summary>What the scores mean.</summary>
    public LearningTask Task { get; }

    /// <summary>Number of rows; at least 1.</summary>
    public int Rows { get; }

    /// <summary>Scores of a row.</summary>
    public int Outputs { get; }

    /// <summary>Classes that are told apart: as many as outputs, 2 of a binary task, 0 of a regression.</summary>
    public int Classes => Task.Classes(Outputs);

    /// <summary>All scores, rows x outputs.</summary>
    public ReadOnlySpan<float> Scores => _scores;

    /// <summary>The labels, one a row: the index of the class, 1 or 0 for the positive and the negative class, or the value to predict.</summary>
    public ReadOnlySpan<float> Labels => _labels;

    /// <summary>The logit that a score of a binary model stands for; null where its scores stand for no probabilities.</summary>
    internal Func<float, double>? Logit { get; init; } = score => score;

    /// <summary>How often a row counts; 1 where no weights were given.</summary>
    /// <param name="row">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public double WeightOf(int row)
    {
        var index = Checked(row);
        return _weights is null ? 1 : _weights[index];
    }

    /// <summary>A score of a row.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="output">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row or output.</exception>
    public float ScoreOf(int row, int output = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, Outputs);
        return ScoresOf(row)[output];
    }

    /// <summary>The scores of a row.</summary>
    internal ReadOnlySpan<float> ScoresOf(int row) => _scores.AsSpan(Checked(row) * Outputs, Outputs);

    /// <summary>The class a row is predicted to be of: that of the first largest score, 1 where the score of the positive class is above 0.</summary>
    /// <param name="row">From 0.</param>
    /// <returns>An index below <see cref="Classes"/>; -1 where a score is not a number.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public int PredictedClass(int row)
    {
        var scores = ScoresOf(row);
        foreach (var score in scores)
        {
            if (float.IsNaN(score))
            {
                return -1;
            }
        }

        return Task.HasOutputPerClass ? Tasks.PredictedClass.Of(scores) : scores[0] > 0 ? 1 : 0;
    }

    /// <summary>The natural logarithm of the probability that the model gives a class: of the softmax over its logits, or of the sigmoid.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="index">The class, below <see cref="Classes"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row or class.</exception>
    /// <exception cref="InvalidOperationException">The model gives no probabilities.</exception>
    public double LogProbability(int row, int index)
    {
        if (!Task.IsClassification || Logit is null)
        {
            var reason = !Task.IsClassification ? "its scores are numbers" : "its scores are not calibrated";
            throw new InvalidOperationException($"The model gives no probabilities: {reason}.");
        }

        var scores = ScoresOf(row);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Classes);
        if (!Task.HasOutputPerClass)
        {
            var signed = index == 1 ? Logit(scores[0]) : -Logit(scores[0]);
            return Math.Min(signed, 0) - Math.Log(1 + Math.Exp(-Math.Abs(signed)));
        }

        double largest = scores[Math.Max(0, PredictedClass(row))], sum = 0;
        foreach (var score in scores)
        {
            sum += Math.Exp(score - largest);
        }

        return scores[index] - largest - Math.Log(sum);
    }

    /// <summary>The mean over the rows, as often as each counts.</summary>
    /// <param name="value">A number for each row.</param>
    public double Mean(Func<int, double> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        double sum = 0, rows = 0;
        for (var row = 0; row < Rows; row++)
        {
            if (WeightOf(row) is not 0 and var weight)
            {
                sum += weight * value(row);
                rows += weight;
            }
        }

        return sum / rows;
    }

    /// <summary>Some of the rows, any of them as often as it is named.</summary>
    internal Predictions Take(ReadOnlySpan<int> rows)
    {
        var (scores, labels) = (new float[rows.Length * Outputs], new float[rows.Length]);
        for (var i = 0; i < rows.Length; i++)
        {
            ScoresOf(rows[i]).CopyTo(scores.AsSpan(i * Outputs));
            labels[i] = _labels[rows[i]];
        }

        return new(this, scores, labels);
    }

    /// <summary>The same but for the first rows of a class that are predicted right, which are now wrong, as far from right as any score is.</summary>
    internal Predictions WithLost(int index, int rows)
    {
        var scores = (float[])_scores.Clone();
        var (least, most) = (Math.Min(-1, scores.Min()), Math.Max(1, scores.Max()));
        for (var row = 0; row < Rows && rows > 0; row++)
        {
            if ((int)_labels[row] == index && PredictedClass(row) == index)
            {
                scores[row * Outputs + (Task.HasOutputPerClass ? index : 0)] = Task.HasOutputPerClass || index == 1 ? least : most;
                rows--;
            }
        }

        return new(this, scores, _labels);
    }

    private int Checked(int row) => (uint)row < (uint)Rows ? row : throw NoRow(row);

    // Apart, so that the check is compiled into what calls it.
    private ArgumentOutOfRangeException NoRow(int row) => new(nameof(row), row, $"Rows are numbered from 0 to {Rows - 1}.");
}
