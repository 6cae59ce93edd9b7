using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tasks;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>Several teachers whose probabilities are one: their mean, or for each class those of the teacher that knows it best.</summary>
/// <param name="members">The teachers.</param>
/// <param name="weights">Their weights, which sum to 1; null for the best per class.</param>
internal sealed class CombinedTeacher(ImmutableArray<Teacher> members, ImmutableArray<double>? weights) : Teacher
{
    internal override TeacherSession Bind(TeacherStep step)
    {
        if (weights is null && !step.Task.IsClassification)
        {
            throw new ArgumentException("The best teacher per class is for classes, but this is a Regression task: take Teacher.Mean or Teacher.Weighted.");
        }

        if (weights is null && step.Data.ValidationRows.IsEmpty)
        {
            throw new ArgumentException("The best teacher per class is chosen on validation rows, but there are none: set ValidationFraction above 0.");
        }

        List<TeacherSession> bound = [];
        try
        {
            foreach (var member in members)
            {
                bound.Add(member.Bind(step));
            }

            if (bound.FirstOrDefault(member => member.Outputs != bound[0].Outputs) is { } other)
            {
                throw new ArgumentException($"The teachers have different numbers of outputs: {bound[0].Outputs} and {other.Outputs}.");
            }

            return new Bound([.. bound], step, weights);
        }
        catch
        {
            bound.ForEach(member => member.Dispose());
            throw;
        }
    }

    internal override string Identity => Describe(member => member.Identity);

    /// <inheritdoc/>
    public override string ToString() => Describe(member => member.ToString()!);

    private string Describe(Func<Teacher, string> name) => weights is { } shares
        ? $"mean of {string.Join(", ", members.Zip(shares, (member, weight) => FormattableString.Invariant($"{weight:r} {name(member)}")))}"
        : $"best per class of {string.Join(", ", members.Select(name))}";

    private sealed class Bound : TeacherSession
    {
        private readonly ImmutableArray<TeacherSession> _members;
        private readonly LearningTask _task;

        /// <summary>Each teacher's part in each class: members x 1 x classes.</summary>
        private readonly Tensor _parts;

        public Bound(ImmutableArray<TeacherSession> members, TeacherStep step, ImmutableArray<double>? weights)
        {
            (_members, _task) = (members, step.Task);
            var classes = step.Task.IsClassification ? step.Task.Classes(Outputs) : Outputs;
            var parts = new float[members.Length * classes];
            if (weights is { } shares)
            {
                for (var i = 0; i < parts.Length; i++)
                {
                    parts[i] = (float)shares[i / classes];
                }
            }
            else
            {
                var f1 = members.Select(member => F1(member, step, classes)).ToArray();
                for (var c = 0; c < classes; c++)
                {
                    var best = Enumerable.Range(0, members.Length).MaxBy(member => f1[member][c]);
                    parts[best * classes + c] = 1;
                }
            }

            using var scope = NewDisposeScope();
            _parts = tensor(parts, [members.Length, 1, classes]).to(step.Device).DetachFromDisposeScope();
        }

        public override int Outputs => _members[0].Outputs;

        public override TeacherBatch Run(ReadOnlySpan<int> rows, IReadOnlyCollection<string> reads, Tensor? changed)
        {
            if (reads.Count > 0)
            {
                throw new NotSupportedException($"Several teachers have no tensors '{string.Join("', '", reads)}' in common: features are learned from one "
                    + "network.");
            }

            using var noGrad = no_grad();
            List<Tensor> outputs = [];
            foreach (var member in _members)
            {
                outputs.Add(member.Run(rows, [], changed).Logits);
            }

            return new(Combine(outputs), new Dictionary<string, Tensor>());
        }

        public override void Dispose()
        {
            _parts.Dispose();
            foreach (var member in _members)
            {
                member.Dispose();
            }
        }

        private Tensor Combine(List<Tensor> outputs)
        {
            if (!_task.IsClassification)
            {
                return stack(outputs).mul(_parts).sum(dim: 0);
            }

            // A class has at least one teacher, so its sum is above 0; what the others say of it is -infinity.
            using Scalar one = 1.0;
            var mixed = stack(outputs.Select(logits => LogProbabilities(logits, _task))).add(_parts.log(), one).logsumexp(0).log_softmax(-1);
            return _task.HasOutputPerClass ? mixed : mixed.narrow(1, 1, 1).sub(mixed.narrow(1, 0, 1));
        }

        /// <summary>Of classes, or of both classes of a binary task.</summary>
        private static Tensor LogProbabilities(Tensor logits, LearningTask task)
            => (task.HasOutputPerClass ? logits : cat([zeros_like(logits), logits], 1)).log_softmax(-1);

        /// <summary>A teacher's F1 of each class on the validation rows; 0 for a class that it never gives and that none has.</summary>
        private static double[] F1(TeacherSession teacher, TeacherStep step, int classes)
        {
            var (hits, given, actual) = (new int[classes], new int[classes], new int[classes]);
            var rows = step.Data.ValidationRows.AsSpan();
            for (var start = 0; start < rows.Length; start += step.BatchSize)
            {
                step.CancellationToken.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var part = rows.Slice(start, Math.Min(step.BatchSize, rows.Length - start));
                var scores = TensorValues.Of(LogProbabilities(teacher.Run(part, [], null).Logits, step.Task));
                for (var i = 0; i < part.Length; i++)
                {
                    var row = scores.AsSpan(i * classes, classes);
                    var (predicted, label) = (PredictedClass.Of(row), (int)step.Data.Target(part[i]));
                    hits[label] += predicted == label ? 1 : 0;
                    given[predicted]++;
                    actual[label]++;
                }
            }

            return [.. hits.Select((hit, c) => given[c] + actual[c] == 0 ? 0 : 2.0 * hit / (given[c] + actual[c]))];
        }
    }
}
