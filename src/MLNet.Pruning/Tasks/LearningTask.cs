using MLNet.Pruning.Messages;

namespace MLNet.Pruning;

/// <summary>What a network's outputs mean, and with that what it is trained and measured by.</summary>
[JsonConverter(typeof(NotationConverter<LearningTask>))]
public sealed partial class LearningTask
{
    private LearningTask(string name, string scoreColumnKind, params ReadOnlySpan<Loss> losses)
        => (Name, ScoreColumnKind, Losses) = (name, scoreColumnKind, losses.ToImmutableArray());

    /// <summary>One of several classes: as many outputs as classes, softmax over them.</summary>
    public static LearningTask Multiclass { get; } = new("Multiclass", "MulticlassClassification", Loss.CrossEntropy);

    /// <summary>One of two classes: one output, the logit of the positive one.</summary>
    public static LearningTask Binary { get; } = new("Binary", "BinaryClassification", Loss.BinaryCrossEntropy);

    /// <summary>A number: one output.</summary>
    public static LearningTask Regression { get; } = new("Regression", "Regression", Loss.MeanSquaredError, Loss.MeanAbsoluteError);

    /// <summary>All tasks.</summary>
    public static IReadOnlyList<LearningTask> All { get; } = [Multiclass, Binary, Regression];

    /// <summary>What it is called, in files and on the command line.</summary>
    public string Name { get; }

    /// <summary>The losses it can be trained by, first the one of <see cref="Loss.Default"/>.</summary>
    public IReadOnlyList<Loss> Losses { get; }

    /// <summary>Whether outputs tell classes apart.</summary>
    public bool IsClassification => this != Regression;

    /// <summary>Whether each class has an output of its own; else there is one output.</summary>
    internal bool HasOutputPerClass => this == Multiclass;

    /// <summary>What ML.NET calls it in the annotations of score columns.</summary>
    internal string ScoreColumnKind { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Classes that so many outputs tell apart; 0 of a regression.</summary>
    internal int Classes(int outputs) => HasOutputPerClass ? outputs : IsClassification ? 2 : 0;
}
