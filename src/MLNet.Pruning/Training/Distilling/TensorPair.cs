using MLNet.Pruning.Data.Teachers;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>A tensor of the teacher and the one of the student that learns from it, by names as <see cref="FeatureTensors"/> finds them.</summary>
internal sealed record TensorPair(string Teacher, string Student)
{
    /// <exception cref="ArgumentException">A name is null or empty.</exception>
    public static TensorPair Of((string Teacher, string Student) names, string parameter)
        => new(Setting.Named(names.Teacher, parameter), Setting.Named(names.Student, parameter));

    /// <exception cref="ArgumentException">There are none, or a name is empty.</exception>
    public static ImmutableArray<TensorPair> Of(IEnumerable<(string Teacher, string Student)> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ImmutableArray<TensorPair> all = [.. pairs.Select(pair => Of(pair, nameof(pairs)))];
        return all.Length > 0 ? all : throw new ArgumentException("Name at least one pair of tensors, the teacher's and the student's.", nameof(pairs));
    }

    /// <summary>Both tensors.</summary>
    /// <param name="context">The networks.</param>
    /// <param name="rows">Whether their first sizes have to be the batch.</param>
    /// <exception cref="ArgumentException">The teacher has no tensors but its scores, or a network none of that name and known shape.</exception>
    public (TensorInfo Teacher, TensorInfo Student) Require(TermContext context, bool rows = true)
    {
        var teacher = context.Teacher ?? throw new ArgumentException(
            $"The teacher has scores only, no tensor '{Teacher}' that the student's '{Student}' could learn from: let a single network teach, or leave this "
                + "kind of distillation out.");
        return (Require(teacher, Teacher, "teacher", rows), Require(context.Student, Student, "student", rows));
    }

    /// <summary>The two do not go together.</summary>
    /// <param name="why">What would have to be equal.</param>
    /// <param name="teacher">Shape of the teacher's tensor.</param>
    /// <param name="student">Shape of the student's.</param>
    public ArgumentException Misfit(string why, IEnumerable<int> teacher, IEnumerable<int> student)
        => new($"The teacher's '{Teacher}' is {TensorInfo.Dimensions(teacher)}, the student's '{Student}' {TensorInfo.Dimensions(student)}: {why}.");

    /// <inheritdoc cref="Misfit(string, IEnumerable{int}, IEnumerable{int})"/>
    public ArgumentException Misfit(string why, Tensor teacher, Tensor student)
        => Misfit(why, teacher.shape.Select(size => (int)size), student.shape.Select(size => (int)size));

    private static TensorInfo Require(Network network, string name, string role, bool rows)
    {
        var tensor = FeatureTensors.Require(network, name, role);
        return !tensor.IsKnown || tensor.Type != TensorType.Float
            ? throw new ArgumentException($"The {role}'s '{name}' is of {(tensor.IsKnown ? $"type {tensor.Type}" : "unknown shape")}; distillation compares "
                + "tensors of Float and of known shape.")
            : rows && (tensor.Shape.Length < 2 || tensor.Shape[0] != TensorInfo.Batch)
            ? throw new ArgumentException($"The {role}'s '{name}' is {TensorInfo.Dimensions(tensor.Shape)}; distillation compares rows, so its first size has "
                + "to be the batch, N.")
            : tensor;
    }
}
