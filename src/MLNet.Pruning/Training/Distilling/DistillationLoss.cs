using MLNet.Pruning.Data.Teachers;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>One training of a student: the labels' loss mixed with what the teacher adds.</summary>
internal sealed class DistillationLoss : IDisposable
{
    private readonly Scalar _one = 1.0;
    private readonly DistillationSession _session;
    private readonly (DistillationTerm Term, TermLoss Loss)[] _terms;
    private readonly FeatureTensors _tensors;
    private readonly double _share;

    /// <exception cref="ArgumentException">The student and its teacher do not have the same outputs, or not what the kinds of distillation read.</exception>
    public DistillationLoss(DistillationSession session, Network student, Device device, int seed)
    {
        _session = session;
        if (student.Output.RowSize != session.Teacher.Outputs)
        {
            throw new ArgumentException($"The teacher has {session.Teacher.Outputs} outputs, but the student {student.Output.RowSize}.");
        }

        var context = new TermContext(student, session.Teacher.Network, session.Teacher.Outputs, session.Task, device, seed);
        _share = session.Distillation.Terms.Sum(term => term.Share);
        _terms = [.. session.Distillation.Terms.Select(term => (term, term.Bind(context)))];
        _tensors = new(student, _terms.SelectMany(term => term.Loss.Reads), "student");
    }

    /// <summary>What is trained along with the student.</summary>
    public IEnumerable<TorchParameter> Trained => _terms.SelectMany(term => term.Loss.Trained);

    /// <summary>Sees the student's tensors when it runs.</summary>
    public Action<Node, Func<string, Tensor>>? Visit => _tensors.Visit;

    /// <summary>The loss of a batch.</summary>
    /// <param name="hard">The loss on labels.</param>
    /// <param name="logits">Rows x outputs of the student.</param>
    /// <param name="rows">Which rows they are for.</param>
    /// <param name="changed">The rows as augmentation changed them; null where they are as they were.</param>
    /// <param name="factor">What a schedule makes of the training's progress.</param>
    public Tensor Mix(Tensor hard, Tensor logits, ReadOnlySpan<int> rows, Tensor? changed, Func<LearningRateSchedule, double> factor)
    {
        var (teacher, targets) = _session.Of(rows, changed);
        var (cooling, strength) = (factor(_session.Distillation.TemperatureSchedule), factor(_session.Distillation.WeightSchedule));
        using Scalar labels = 1 - _share * strength;
        var loss = hard.mul(labels);
        var student = new StudentBatch(logits, _tensors.Found);
        for (var i = 0; i < _terms.Length; i++)
        {
            using Scalar weight = _terms[i].Term.Weight * strength;
            loss = loss.add(_terms[i].Loss.Of(student, teacher, targets[i], cooling).mul(weight), _one);
        }

        return loss;
    }

    public void Dispose()
    {
        _one.Dispose();
        foreach (var (_, loss) in _terms)
        {
            loss.Dispose();
        }
    }
}
