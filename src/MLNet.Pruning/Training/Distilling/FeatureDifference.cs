using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Networks.Graph;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Training.Distilling;

/// <summary>The mean squared difference of inner tensors: see <see cref="Distillation.Features"/>.</summary>
internal sealed record FeatureDifference(TensorPair Pair, double Weight) : DistillationTerm(Weight)
{
    public override ImmutableArray<string> TeacherReads => [Pair.Teacher];

    public override string ToString() => Notation.Call(nameof(Distillation.Features), new[] { (Pair.Teacher, Pair.Student) }, Weight);

    public override Tensor? Target(Network? teacher, TeacherBatch output) => output.Tensors[Pair.Teacher];

    public override TermLoss Bind(TermContext context)
    {
        var (teacher, student) = Pair.Require(context);
        var dimensions = teacher.Shape.Length;
        if (dimensions != student.Shape.Length || dimensions > 4)
        {
            throw Pair.Misfit("features have the same number of sizes, 2, 3 or 4", teacher.Shape, student.Shape);
        }

        var axis = dimensions == 4 ? 1 : dimensions - 1;
        var (told, own) = (teacher.Shape[axis], student.Shape[axis]);
        if (told < 0 || own < 0)
        {
            throw Pair.Misfit($"the {(axis == 1 ? "second" : "third")} size, of the units, has to be known", teacher.Shape, student.Shape);
        }

        return dimensions == 3 && teacher.Shape[1] != student.Shape[1] && teacher.Shape[1] >= 0 && student.Shape[1] >= 0
            ? throw Pair.Misfit("sequences have to have the same length", teacher.Shape, student.Shape)
            : new Loss(Pair, told == own ? null : new Projection(told, own, context));
    }

    private sealed class Loss(TensorPair pair, Projection? projection) : TermLoss
    {
        public override IReadOnlyList<string> Reads => [pair.Student];

        public override IReadOnlyList<TorchParameter> Trained => projection?.Parameters ?? [];

        public override Tensor Of(StudentBatch student, Tensor teacher, Tensor? target, double cooling)
        {
            var (told, own) = (target!, student.Tensors[pair.Student]);
            if (own.dim() == 4)
            {
                long[] common = [Math.Min(told.shape[2], own.shape[2]), Math.Min(told.shape[3], own.shape[3])];
                (told, own) = (Pool(told, common), Pool(own, common));
            }

            own = projection?.Apply(own) ?? own;
            return own.shape.SequenceEqual(told.shape) ? nn.functional.mse_loss(own, told)
                : throw pair.Misfit("sequences have to have the same length", told, own);
        }

        public override void Dispose() => projection?.Dispose();

        private static Tensor Pool(Tensor maps, long[] size)
            => maps.shape[2] == size[0] && maps.shape[3] == size[1] ? maps : nn.functional.adaptive_avg_pool2d(maps, size);
    }

    /// <summary>From the student's units to the teacher's, drawn as the weights of a layer are.</summary>
    private sealed class Projection : IDisposable
    {
        private readonly TorchParameter _weight;
        private readonly TorchParameter _bias;

        public Projection(int outputs, int inputs, TermContext context)
        {
            var (random, initializer) = (new Random(context.Seed), Initializer.KaimingUniform(inputs));
            _weight = Draw(outputs, inputs);
            _bias = Draw(outputs);

            TorchParameter Draw(params long[] shape)
            {
                using var scope = NewDisposeScope();
                var values = initializer.Draw((int)shape.Aggregate((product, size) => product * size), random);
                return (TorchParameter)new TorchParameter(tensor(values, shape, device: context.Device)).DetachFromDisposeScope();
            }
        }

        public IReadOnlyList<TorchParameter> Parameters => [_weight, _bias];

        public Tensor Apply(Tensor features) => features.dim() == 4
            ? nn.functional.conv2d(features, _weight.unsqueeze(-1).unsqueeze(-1), _bias)
            : nn.functional.linear(features, _weight, _bias);

        public void Dispose()
        {
            _weight.Dispose();
            _bias.Dispose();
        }
    }
}
