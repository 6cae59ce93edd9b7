using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning;

/// <summary>
/// What a network learns from a teacher beside the labels. Kinds add up with <c>+</c>: the loss is the labels' times what the shares of
/// responses leave of 1, plus every kind's own times its weight.
/// </summary>
public sealed class Distillation
{
    private const long DefaultMemoryLimit = 1L << 30;

    private Distillation(ImmutableArray<DistillationTerm> terms) => Terms = terms;

    /// <summary>Who teaches; null for the network or model that the step finds: see <see cref="TrainingOptions.Distillation"/>.</summary>
    public Teacher? Teacher { get; private init; }

    /// <summary>The kinds.</summary>
    internal ImmutableArray<DistillationTerm> Terms { get; }

    /// <summary>Factor on temperatures over the training.</summary>
    internal LearningRateSchedule TemperatureSchedule { get; private init; } = LearningRateSchedule.Constant;

    /// <summary>Factor on weights over the training.</summary>
    internal LearningRateSchedule WeightSchedule { get; private init; } = LearningRateSchedule.Constant;

    /// <summary>Bytes of the teacher's outputs that are kept in memory; more go to a temporary file.</summary>
    internal long MemoryLimit { get; private init; } = DefaultMemoryLimit;

    /// <summary>All that tells two apart, teachers as networks or by their kind only.</summary>
    internal string Description => $"{this}, teacher {Teacher}";

    /// <inheritdoc/>
    public override string ToString()
    {
        var scheduled = TemperatureSchedule == LearningRateSchedule.Constant && WeightSchedule == LearningRateSchedule.Constant ? ""
            : $".{nameof(Scheduled)}({TemperatureSchedule}, {WeightSchedule})";
        var limited = MemoryLimit == DefaultMemoryLimit ? "" : "." + Notation.Call(nameof(WithMemoryLimit), MemoryLimit);
        var terms = string.Join(" + ", Terms);
        return (Terms.Length > 1 && scheduled.Length + limited.Length > 0 ? $"({terms})" : terms) + scheduled + limited;
    }

    /// <summary>
    /// Soft labels (Hinton, Vinyals &amp; Dean 2015): weight x temperature^2 x KL(teacher || student) at the temperature; the labels keep
    /// 1 - weight of the loss. Of a binary task the two classes count; of a regression the teacher's part is the squared difference
    /// to its output, without a temperature.
    /// </summary>
    /// <param name="temperature">What logits are divided by before the softmax or sigmoid. Above 0; 1 takes the probabilities as they are.</param>
    /// <param name="weight">Share of the teacher in the loss, in (0, 1].</param>
    /// <param name="teacher">Who teaches; null for the network or model that the step finds.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Distillation Response(double temperature = 4, double weight = 0.9, Teacher? teacher = null)
        => new([new SoftLabels(Temperature(temperature), Share(weight))]) { Teacher = teacher };

    /// <summary>
    /// The teacher's logits themselves (Ba &amp; Caruana 2014): weight x the mean squared difference of logits over rows and outputs; the
    /// labels keep 1 - weight of the loss.
    /// </summary>
    /// <param name="weight">Share of the teacher in the loss, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">The weight is out of range.</exception>
    public static Distillation Logits(double weight = 0.5) => new([new LogitDifference(Share(weight))]);

    /// <summary>
    /// Inner tensors (FitNets: Romero et al. 2015): of every pair weight x the mean squared difference of the student's features from the
    /// teacher's. Where they differ in units, a linear projection of the student's, made anew for every training and trained along, is
    /// compared, and thrown away at the end. Features are rows x units, rows x length x units, of the same length, or rows x channels x
    /// height x width; where heights or widths differ, the larger is averaged down to the smaller.
    /// </summary>
    /// <param name="pairs">Names of a layer (of its output) or of a tensor: the teacher's and the student's. At least one pair.</param>
    /// <param name="weight">Factor on each pair's difference, above 0; the labels keep all of theirs.</param>
    /// <exception cref="ArgumentException">There is no pair, or a name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public static Distillation Features(IEnumerable<(string Teacher, string Student)> pairs, double weight = 1)
    {
        Setting.Positive(weight, nameof(weight));
        return new([.. TensorPair.Of(pairs).Select(pair => new FeatureDifference(pair, weight))]);
    }

    /// <summary>
    /// Where the networks look, of every pair weight x a mean squared difference. Of feature maps, rows x channels x height x width of
    /// equal height and width (Zagoruyko &amp; Komodakis 2017): of the sums of squares over channels, a row's scaled to norm 1. Of the
    /// softmaxes of attention, rows x heads x length x length (TinyBERT: Jiao et al. 2020): of the matrices head by head, or, where the
    /// numbers of heads differ, of their means over heads. A tensor that an operator Softmax makes counts as the latter, every other as the former.
    /// </summary>
    /// <param name="pairs">Names of a layer (of its output) or of a tensor: the teacher's and the student's. At least one pair.</param>
    /// <param name="weight">
    /// Factor on each pair's difference, above 0; the labels keep all of theirs. Attention matrices take 1; feature maps more, 1000 in
    /// the paper, for their squares sum to 1 in a row.
    /// </param>
    /// <exception cref="ArgumentException">There is no pair, or a name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public static Distillation Attention(IEnumerable<(string Teacher, string Student)> pairs, double weight = 1)
    {
        Setting.Positive(weight, nameof(weight));
        return new([.. TensorPair.Of(pairs).Select(pair => new AttentionDifference(pair, weight))]);
    }

    /// <summary>
    /// How the rows of a batch lie to one another (relational knowledge distillation: Park et al. 2019), by Huber's loss: the distances
    /// between every two, in units of their mean over the batch, and the cosines of the angles between every three. Takes memory in
    /// proportion to the square of the batch size times the values of a row.
    /// </summary>
    /// <param name="distance">Factor on the distances' loss, not negative. Default 1.</param>
    /// <param name="angle">Factor on the angles' loss, not negative; not both are 0. Default 2.</param>
    /// <param name="pair">Names of the layers or tensors, rows x anything, the teacher's and the student's; null for the logits.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A weight is negative or not finite, or both are 0.</exception>
    public static Distillation Relations(double distance = 1, double angle = 2, (string Teacher, string Student)? pair = null)
    {
        Setting.NotNegative(distance, nameof(distance));
        Setting.NotNegative(angle, nameof(angle));
        return distance + angle > 0 ? new([new SampleRelations(distance, angle, pair is { } names ? TensorPair.Of(names, nameof(pair)) : null)])
            : throw new ArgumentOutOfRangeException(nameof(distance), distance, "Distances and angles both have a weight of 0, which leaves nothing to learn.");
    }

    /// <summary>
    /// Which rows of a batch are like which (similarity-preserving distillation: Tung &amp; Mori 2019): weight x the squared Frobenius norm
    /// of the difference of the networks' matrices of products of every two rows, each of its rows scaled to norm 1, over the squared batch size.
    /// </summary>
    /// <param name="pair">Names of the layers or tensors, rows x anything, the teacher's and the student's; null for the logits.</param>
    /// <param name="weight">Factor on the difference, above 0; the labels keep all of theirs. Default 3000, the paper's.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public static Distillation Similarity((string Teacher, string Student)? pair = null, double weight = 3000)
        => new([new SampleSimilarity(pair is { } names ? TensorPair.Of(names, nameof(pair)) : null, Setting.Positive(weight, nameof(weight)))]);

    /// <summary>Both, under the teacher, schedules and limit of the one that has them set.</summary>
    /// <exception cref="ArgumentException">They name two teachers or two schedules, or their shares of the loss sum to more than 1.</exception>
    public static Distillation operator +(Distillation a, Distillation b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ImmutableArray<DistillationTerm> terms = [.. a.Terms, .. b.Terms];
        if (terms.Sum(term => term.Share) is var shares && shares > 1 + 1e-12)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"The teacher's shares of the loss sum to {shares:0.###}; labels and responses share 1 between them."));
        }

        if (a.Teacher is not null && b.Teacher is not null && a.Teacher != b.Teacher)
        {
            throw new ArgumentException("The two kinds of distillation name different teachers; combine teachers by Teacher.Mean, Teacher.Weighted or "
                + "Teacher.BestPerClass.");
        }

        return new(terms)
        {
            Teacher = a.Teacher ?? b.Teacher,
            TemperatureSchedule = One(a.TemperatureSchedule, b.TemperatureSchedule, "temperature"),
            WeightSchedule = One(a.WeightSchedule, b.WeightSchedule, "weight"),
            MemoryLimit = Math.Min(a.MemoryLimit, b.MemoryLimit),
        };
    }

    /// <summary>The same from another teacher.</summary>
    /// <param name="teacher">Who teaches.</param>
    public Distillation From(Teacher teacher) => new(Terms)
    {
        Teacher = Setting.Present(teacher, nameof(teacher)),
        TemperatureSchedule = TemperatureSchedule,
        WeightSchedule = WeightSchedule,
        MemoryLimit = MemoryLimit,
    };

    /// <summary>The same with temperatures and weights that change over the training, each multiplied by a schedule's factor.</summary>
    /// <param name="temperature">Of the temperature, which stays at least 0.1; null leaves it as it is.</param>
    /// <param name="weight">Of the teacher's weights; what responses give up the labels get. Null leaves them as they are.</param>
    public Distillation Scheduled(LearningRateSchedule? temperature = null, LearningRateSchedule? weight = null) => new(Terms)
    {
        Teacher = Teacher,
        TemperatureSchedule = temperature ?? TemperatureSchedule,
        WeightSchedule = weight ?? WeightSchedule,
        MemoryLimit = MemoryLimit,
    };

    /// <summary>The same with another limit to what is kept in memory.</summary>
    /// <param name="bytes">
    /// Bytes of the teacher's outputs, not negative; where they take more, they go to a temporary file that is removed afterwards. Default 1 GiB.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative.</exception>
    public Distillation WithMemoryLimit(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new(Terms) { Teacher = Teacher, TemperatureSchedule = TemperatureSchedule, WeightSchedule = WeightSchedule, MemoryLimit = bytes };
    }

    /// <summary>The teacher at work on the rows of a step; keeps what it says of them.</summary>
    /// <param name="step">The rows and what they are for.</param>
    /// <param name="otherwise">Who teaches where this names nobody; null where there is nobody.</param>
    /// <exception cref="InvalidOperationException">There is no teacher.</exception>
    /// <exception cref="ArgumentException">The teacher does not fit the rows or the task.</exception>
    internal DistillationSession Bind(TeacherStep step, Teacher? otherwise) => new(this,
        (Teacher ?? otherwise ?? throw new InvalidOperationException(
            "Distillation needs a teacher: name one, distil with ml.Transforms.Distill, which finds the one before it, or after a step of pruning, which "
                + "keeps the network it was given.")).Bind(step with { MemoryLimit = MemoryLimit }), step);

    private static LearningRateSchedule One(LearningRateSchedule a, LearningRateSchedule b, string what)
        => a == LearningRateSchedule.Constant || a == b ? b : b == LearningRateSchedule.Constant ? a
            : throw new ArgumentException($"The two kinds of distillation have different schedules of the {what}; set one on their sum.");

    private static double Temperature(double value) => value > 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException("temperature", value, "The temperature is a finite number above 0.");

    private static double Share(double value) => value is > 0 and <= 1 ? value
        : throw new ArgumentOutOfRangeException("weight", value, "The teacher's share of the loss lies in (0, 1].");
}
