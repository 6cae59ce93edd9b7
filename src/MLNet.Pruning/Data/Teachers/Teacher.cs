using System.Diagnostics.CodeAnalysis;
using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;

namespace MLNet.Pruning;

/// <summary>Who a network learns from beside the labels. A <see cref="Network"/> is one as it is.</summary>
public abstract class Teacher
{
    private protected Teacher()
    {
    }

    /// <summary>A network that reads the same columns as the student.</summary>
    /// <param name="network">The network, with values; null for no teacher.</param>
    [return: NotNullIfNotNull(nameof(network))]
    public static implicit operator Teacher?(Network? network) => network is null ? null : new NetworkTeacher(network, null);

    /// <summary>
    /// Columns of scores that the rows have when they come to the step, whatever wrote them: a trainer of ML.NET's, ApplyOnnxModel, a table.
    /// The rows that augmentation changes cannot be scored again.
    /// </summary>
    /// <param name="scoreColumnName">
    /// Of classes a Vector&lt;Single&gt; of one score a class: logits, or probabilities where every row is not negative and sums to 1 within 0.001. Scores
    /// whose annotations name the classes are put in the label's order. For binary classification a Single, taken as a logit, or a vector of both classes'
    /// scores. Of a regression a Single.
    /// </param>
    /// <param name="probabilityColumnName">
    /// For binary classification the probability of true, whose log-odds are then the logit, with probabilities taken as no nearer than 1e-6 to 0 and 1; it
    /// may be the score column itself. Null takes the column Probability that belongs to Score, where there is one; a score without it
    /// is not calibrated and serves as the logit itself.
    /// </param>
    public static Teacher Columns(string scoreColumnName = ScoreColumns.Score, string? probabilityColumnName = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(scoreColumnName);
        return new ScoreTeacher(null, scoreColumnName, probabilityColumnName is null ? null
            : Setting.Named(probabilityColumnName, nameof(probabilityColumnName)));
    }

    /// <summary>
    /// A fitted model, from memory or from a file, which scores the rows as they come to the step: without the transforms that stand
    /// before it. Where its Score is that of a <see cref="NeuralNetworkTransformer"/>, that network teaches, with all that is within it.
    /// </summary>
    /// <param name="model">The model. It has to score every row, in their order.</param>
    /// <param name="scoreColumnName">Its column of scores: see <see cref="Columns"/>.</param>
    /// <param name="probabilityColumnName">Its column of probabilities: see <see cref="Columns"/>.</param>
    public static Teacher Model(ITransformer model, string scoreColumnName = ScoreColumns.Score, string? probabilityColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(scoreColumnName);
        return new ScoreTeacher(model, scoreColumnName, probabilityColumnName is null ? null
            : Setting.Named(probabilityColumnName, nameof(probabilityColumnName)));
    }

    /// <summary>Several teachers as one: the mean of their probabilities, or of what they predict in a regression.</summary>
    /// <param name="teachers">One or more.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Teacher Mean(params Teacher[] teachers)
    {
        var members = Several(teachers);
        return new CombinedTeacher(members, [.. members.Select(_ => 1.0 / members.Length)]);
    }

    /// <summary>Several teachers as one: the weighted mean of their probabilities, or of what they predict in a regression.</summary>
    /// <param name="teachers">One or more, with weights above 0, which are divided by their sum.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A weight is not a finite number above 0.</exception>
    public static Teacher Weighted(params (Teacher Teacher, double Weight)[] teachers)
    {
        ArgumentNullException.ThrowIfNull(teachers);
        var members = Several([.. teachers.Select(member => member.Teacher)]);
        var sum = teachers.Sum(member => Setting.Positive(member.Weight, nameof(teachers)));
        return new CombinedTeacher(members, [.. teachers.Select(member => member.Weight / sum)]);
    }

    /// <summary>
    /// Several teachers as one: the probability of each class is that of the teacher with the best F1 of the class on the validation rows, and
    /// all are divided by their sum. Between equals the first is taken.
    /// </summary>
    /// <param name="teachers">One or more, for a task of classes and a step that holds back rows to measure on.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Teacher BestPerClass(params Teacher[] teachers) => new CombinedTeacher(Several(teachers), null);

    /// <summary>Tells one teacher from another: networks by their values, models and columns by their names alone.</summary>
    internal virtual string Identity => ToString()!;

    private static ImmutableArray<Teacher> Several(Teacher[] teachers)
    {
        ArgumentNullException.ThrowIfNull(teachers);
        return teachers.Length == 0 ? throw new ArgumentException("There are no teachers to combine; give one or more.", nameof(teachers))
            : [.. teachers.Select(teacher => Setting.Present(teacher, nameof(teachers)))];
    }

    /// <summary>The network where it is one, which files can keep; else null.</summary>
    internal virtual Network? Network => null;

    /// <summary>The network that teaches rows of that schema; null where it is none, or several.</summary>
    internal virtual Network? NetworkFor(DataViewSchema schema) => Network;

    /// <summary>The teacher at work on the rows of a step.</summary>
    /// <exception cref="ArgumentException">It does not fit the rows or the task.</exception>
    internal abstract TeacherSession Bind(TeacherStep step);
}
