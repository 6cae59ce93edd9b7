using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML;

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
    /// whose annotations name the classes are put in the label's order. Of two sides a Single, taken as a logit, or a vector of both sides'
    /// scores. Of a regression a Single.
    /// </param>
    /// <param name="probabilityColumnName">
    /// Of two sides the probability of true, whose log-odds are then the logit, with probabilities taken as no nearer than 1e-6 to 0 and 1; it
    /// may be the score column itself. Null takes the column Probability that belongs to Score, where there is one; a score without it
    /// is not calibrated and serves as the logit itself.
    /// </param>
    public static Teacher Columns(string scoreColumnName = ScoreColumns.Score, string? probabilityColumnName = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(scoreColumnName);
        return new ScoreTeacher(null, scoreColumnName, probabilityColumnName is null ? null : Setting.Named(probabilityColumnName, nameof(probabilityColumnName)));
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
        return new ScoreTeacher(model, scoreColumnName, probabilityColumnName is null ? null : Setting.Named(probabilityColumnName, nameof(probabilityColumnName)));
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
    internal abstract BoundTeacher Bind(TeacherStep step);
}

/// <summary>The rows that are learned from, and what they are for.</summary>
internal sealed record TeacherStep
{
    /// <summary>The rows as the step gets them.</summary>
    public required IDataView View { get; init; }

    /// <summary>What the student reads of them.</summary>
    public required TrainingData Data { get; init; }

    /// <summary>The columns that the student reads.</summary>
    public required NetworkInputs Inputs { get; init; }

    /// <summary>The label, its task and its key values, where it has some.</summary>
    public required string Label { get; init; }

    /// <inheritdoc cref="Label"/>
    public required LearningTask Task { get; init; }

    /// <inheritdoc cref="Label"/>
    public required LabelKeys? Keys { get; init; }

    public required TorchSharp.torch.Device Device { get; init; }

    /// <summary>Rows at a time.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Ends the teaching.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Bytes of the teacher's outputs that are kept in memory.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Reads the same rows, as that view has them, for a network that reads other columns.</summary>
    public required Func<IDataView, Network, NetworkInputs, TrainingData> Read { get; init; }
}

/// <summary>A teacher that knows the rows.</summary>
internal abstract class BoundTeacher : IDisposable
{
    /// <summary>Number of its outputs.</summary>
    public abstract int Outputs { get; }

    /// <summary>Its network; null where it is none, or several.</summary>
    public virtual Network? Network => null;

    /// <summary>Whether it reads the student's rows themselves.</summary>
    public virtual bool Shares => false;

    /// <summary>Whether it only reads what it has said already.</summary>
    public virtual bool IsKept => false;

    /// <summary>What it says of rows.</summary>
    /// <param name="rows">Which rows of the step's data.</param>
    /// <param name="reads">Names of the tensors that are wanted beside the logits.</param>
    /// <param name="changed">The rows as augmentation changed them; null where they are as they were.</param>
    /// <exception cref="NotSupportedException">It cannot tell more than the scores of rows as they were.</exception>
    public abstract TeacherBatch Run(ReadOnlySpan<int> rows, IReadOnlyCollection<string> reads, TorchSharp.torch.Tensor? changed);

    public virtual void Dispose()
    {
    }
}

/// <summary>What a teacher says of a batch.</summary>
/// <param name="Logits">Rows x outputs.</param>
/// <param name="Tensors">The tensors asked for, by the names they were asked for.</param>
internal readonly record struct TeacherBatch(TorchSharp.torch.Tensor Logits, IReadOnlyDictionary<string, TorchSharp.torch.Tensor> Tensors);
