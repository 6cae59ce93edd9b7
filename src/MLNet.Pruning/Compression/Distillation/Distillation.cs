using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>
/// What a network learns from a teacher beside the labels. Kinds add up with <c>+</c>: the loss is the labels' times what the shares of
/// responses leave of 1, plus every kind's own times its weight.
/// </summary>
public sealed class Distillation
{
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
    internal long MemoryLimit { get; private init; } = 1L << 30;

    /// <summary>All that tells two apart, teachers as networks or by their kind only.</summary>
    internal string Description => string.Join(" + ", Terms.Select(term => term.Description))
        + $", temperature {TemperatureSchedule.Describe()}, weight {WeightSchedule.Describe()}, teacher {Teacher}";

    /// <summary>
    /// Soft labels (Hinton, Vinyals &amp; Dean 2015): weight x temperature^2 x KL(teacher || student) at the temperature; the labels keep
    /// 1 - weight of the loss. Of a binary task the two sides are the classes; of a regression the teacher's part is the squared difference
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

    /// <summary>Both, under the teacher, schedules and limit of the one that has them set.</summary>
    /// <exception cref="ArgumentException">They name two teachers or two schedules, or their shares of the loss sum to more than 1.</exception>
    public static Distillation operator +(Distillation a, Distillation b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ImmutableArray<DistillationTerm> terms = [.. a.Terms, .. b.Terms];
        if (terms.Sum(term => term.Share) is var shares && shares > 1 + 1e-12)
        {
            throw new ArgumentException(FormattableString.Invariant($"The teacher's shares of the loss sum to {shares:0.###}; labels and responses share 1 between them."));
        }

        if (a.Teacher is not null && b.Teacher is not null && a.Teacher != b.Teacher)
        {
            throw new ArgumentException("The two kinds of distillation name different teachers; combine teachers by Teacher.Mean, Teacher.Weighted or Teacher.BestPerClass.");
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
        Teacher = Setting.Present(teacher),
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
    /// <param name="bytes">Bytes of the teacher's outputs, not negative; where they take more, they go to a temporary file that is removed afterwards. Default 1 GiB.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative.</exception>
    public Distillation WithMemoryLimit(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new(Terms) { Teacher = Teacher, TemperatureSchedule = TemperatureSchedule, WeightSchedule = WeightSchedule, MemoryLimit = bytes };
    }

    /// <summary>The kinds that descriptions tell.</summary>
    /// <exception cref="ArgumentException">There is no such kind.</exception>
    internal static Distillation Of(IEnumerable<TermDescription> terms) => new([.. terms.Select(DistillationTerm.Of)]);

    /// <summary>The teacher at work on the rows of a step; keeps what it says of them.</summary>
    /// <param name="step">The rows and what they are for.</param>
    /// <param name="otherwise">Who teaches where this names nobody; null where there is nobody.</param>
    /// <exception cref="InvalidOperationException">There is no teacher.</exception>
    /// <exception cref="ArgumentException">The teacher does not fit the rows or the task.</exception>
    internal Teaching Bind(TeacherStep step, Teacher? otherwise) => new(this,
        (Teacher ?? otherwise ?? throw new InvalidOperationException(
            "Distillation needs a teacher: name one, distil with ml.Transforms.Distill, which finds the one before it, or after a step of pruning, which keeps the network it was given.")).Bind(step), step);

    private static LearningRateSchedule One(LearningRateSchedule a, LearningRateSchedule b, string what)
        => a == LearningRateSchedule.Constant || a == b ? b : b == LearningRateSchedule.Constant ? a
            : throw new ArgumentException($"The two kinds of distillation have different schedules of the {what}; set one on their sum.");

    private static double Temperature(double value) => value > 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException("temperature", value, "The temperature is a finite number above 0.");

    private static double Share(double value) => value is > 0 and <= 1 ? value
        : throw new ArgumentOutOfRangeException("weight", value, "The teacher's share of the loss lies in (0, 1].");
}
