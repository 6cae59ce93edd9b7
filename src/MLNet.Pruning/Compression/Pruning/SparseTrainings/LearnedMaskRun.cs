using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>
/// A training in which every weight runs as a random function of itself and of something learned beside it, and the best that is known of
/// that ranks the structures at the end. The gradient at what ran is handed on to both by the chain rule.
/// </summary>
internal abstract class LearnedMaskRun : SparseTrainingRun
{
    private readonly SelectionOptions _options;
    private readonly PrunedNetwork _start;
    private readonly CalibrationData _data;
    private readonly double _learningRate;
    private readonly string _name;
    private readonly List<Learned> _learned = [];
    private AdamUpdate? _rule;
    private Generator? _random;
    private PruningPlan? _plan;

    protected LearnedMaskRun(SparseTraining owner, double learningRate, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
    {
        (_name, _learningRate, _options, _start, _data) = ($"{nameof(SparseTraining)}.{owner}", learningRate, options, start, data);
        Masks = start.Masks;
    }

    /// <summary>Training rows.</summary>
    protected int Rows => _data.Rows.TrainingRows.Length;

    /// <summary>Share of the learning that is done, from 0 to 1.</summary>
    protected double Progress => Math.Min(1, (double)Done / LastMove);

    public override void BeforeForward()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var one in _learned)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();

            // Bounded away from 0 and 1, where the logarithms of the noise end.
            using Scalar low = 1e-6, high = 1 - 1e-6;
            one.Noise = empty([.. one.Learnt.shape, 2], device: one.Values.device).DetachFromDisposeScope();
            one.Trained = one.Values.clone().DetachFromDisposeScope();
            ForEachPart(one, part =>
            {
                part.Noise!.copy_(rand(part.Noise.shape, generator: _random).clamp_(low, high));
                part.Values.copy_(Effective(part));
            });
        }
    }

    public override void AfterBackward()
    {
        using var scope = NewDisposeScope();
        foreach (var one in _learned)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            var gradient = one.Values.grad?.detach();
            using (no_grad())
            {
                one.Values.copy_(one.Trained!);
            }

            one.Values.grad = null;
            one.Learnt.grad = null;
            ForEachPart(one, part => part.Differentiate(() =>
            {
                using Scalar whole = 1.0;
                var total = Penalty(part);
                return gradient is null ? total : total.add(Effective(part).mul(part.Of(gradient)).sum(), whole);
            }));
            one.Release();
        }
    }

    public override PruningReport Complete(PruningReport report, PrunedNetwork network) => _plan?.Complete(report, network) ?? report;

    public override void BeforeMeasuring()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var one in _learned)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            one.Trained = one.Values.clone().DetachFromDisposeScope();
            one.Values.copy_(Settled(one));
        }
    }

    public override void AfterMeasuring()
    {
        using var noGrad = no_grad();
        foreach (var one in _learned)
        {
            one.Values.copy_(one.Trained!);
            one.Release();
        }
    }

    public override void Dispose()
    {
        _rule?.Dispose();
        _random?.Dispose();
        foreach (var one in _learned)
        {
            one.Dispose();
        }

        _learned.Clear();
    }

    protected override void Begin()
    {
        _random = new Generator((ulong)(uint)Seed ^ 0x10C0FFEEUL);
        foreach (var member in _options.Scope.Members(_start, _options.Granularity))
        {
            var structures = _options.Granularity.IsSingle ? null : _options.Granularity.Structures(member.Parameter, member.Axes);
            _learned.Add(new Learned(member.Parameter, (TorchParameter)Weights.Graph.Parameters[member.Parameter.Name], structures, Initial));
        }

        _rule = new AdamUpdate([.. _learned.Select(one => (TorchParameter)one.Learnt)], 0.9, 0.999, 1e-8, 0, decoupled: false);
    }

    protected override void Updated(long step, double rate)
    {
        if (step <= LastMove)
        {
            _rule!.Step(_learningRate);
        }

        if (step == LastMove)
        {
            Settle();
        }
        else
        {
            Weights.MaskWeights();
        }
    }

    /// <summary>Part after part: millions of weights would keep a cancellation waiting.</summary>
    private void ForEachPart(Learned one, Action<Learned> visit)
    {
        foreach (var part in one.Parts())
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            visit(part);
        }
    }

    /// <summary>What is learned beside a structure, at first.</summary>
    protected abstract float Initial { get; }

    /// <summary>The weights as they run in a step: a function of weights, of what is learned and of the noise.</summary>
    protected abstract Tensor Effective(Learned one);

    /// <summary>What is added to the loss.</summary>
    protected abstract Tensor Penalty(Learned one);

    /// <summary>The weights as they run when nothing is random any more.</summary>
    protected abstract Tensor Settled(Learned one);

    /// <summary>One score a weight, not negative: the larger the more it is worth to be kept.</summary>
    protected abstract Tensor Score(Learned one);

    private void Settle()
    {
        var scores = new Dictionary<string, float[]>();
        using (NewDisposeScope())
        {
            using var noGrad = no_grad();
            foreach (var one in _learned)
            {
                _options.CancellationToken.ThrowIfCancellationRequested();
                scores[one.Parameter.Name] = TensorValues.Of(Score(one));
                one.Values.copy_(Settled(one));
            }
        }

        var now = Snapshot(Masks);
        var learned = ImportanceScores.OfWeights(_name, scores, now.Masks);
        _plan = PruningPlan.Create(_options, now, learned, _ => learned);
        Dispose();
        var pruned = _plan.Prune(now, _plan.Steps - 1, learned);
        _plan.Record.Close(1, _plan.Describe(pruned).Sparsity, kept: true);
        Hold(pruned.Masks);
    }

    /// <summary>A weight with what is learned beside it, a number a structure.</summary>
    protected sealed class Learned : IDisposable
    {
        private const long PartSize = 1 << 20;

        private readonly Tensor? _pieceOfWeight;
        private readonly (Learned Whole, long Start, long Count)? _part;

        public Learned(Parameter parameter, TorchParameter values, StructureLayout? structures, float initial)
        {
            (Parameter, Values, StructureSize) = (parameter, values, structures is null ? 1 : parameter.Count / structures.Count);
            using var scope = NewDisposeScope();
            using Scalar start = initial;
            var count = structures?.Count ?? parameter.Count;
            Learnt = new TorchParameter(full(count, start, device: values.device)).DetachFromDisposeScope();
            if (structures is not null)
            {
                var map = new long[parameter.Count];
                foreach (var (structure, first, length) in structures.Runs)
                {
                    map.AsSpan(first, length).Fill(structure);
                }

                _pieceOfWeight = tensor(map, device: values.device).DetachFromDisposeScope();
            }
        }

        private Learned(Learned whole, long start, long count)
        {
            (Parameter, StructureSize, _pieceOfWeight, _part) = (whole.Parameter, whole.StructureSize, whole._pieceOfWeight, (whole, start, count));
            Values = Of(whole.Values.detach());
            Learnt = OfLearnt(whole.Learnt.detach());
            Noise = whole.Noise is { } noise ? OfLearnt(noise) : null;
        }

        public Parameter Parameter { get; }

        public Tensor Values { get; }

        public Tensor Learnt { get; }

        /// <summary>Weights of a structure.</summary>
        public int StructureSize { get; }

        /// <summary>Uniform numbers of this step, two a structure.</summary>
        public Tensor? Noise { get; set; }

        /// <summary>The weights that are trained, while others run.</summary>
        public Tensor? Trained { get; set; }

        /// <summary>A number a structure as one a weight, in the shape of the weights.</summary>
        public Tensor Spread(Tensor perStructure) => (_pieceOfWeight is null ? perStructure : perStructure.index_select(0, _pieceOfWeight)).view(Values.shape);

        /// <summary>Some rows of the weights at a time, where each has what is learned to itself; the same memory, and tensors of the caller's scope.</summary>
        public IEnumerable<Learned> Parts()
        {
            var (rows, size) = (Values.shape[0], Values.numel());
            var count = _pieceOfWeight is not null || size <= PartSize ? rows : Math.Max(1, PartSize / (size / rows));
            for (var start = 0L; start < rows; start += count)
            {
                yield return new(this, start, Math.Min(count, rows - start));
            }
        }

        /// <summary>The part's rows of a tensor of the shape of the weights.</summary>
        public Tensor Of(Tensor whole) => whole.narrow(0, _part!.Value.Start, _part.Value.Count);

        /// <summary>Leaves the gradient of a sum over the part with the whole.</summary>
        public void Differentiate(Func<Tensor> sum)
        {
            var (values, learnt) = (Values.requires_grad_(true), Learnt.requires_grad_(true));
            sum().backward();
            using var noGrad = no_grad();
            var whole = _part!.Value.Whole;
            Put(values.grad, whole.Values, Of);
            Put(learnt.grad, whole.Learnt, OfLearnt);

            static void Put(Tensor? gradient, Tensor whole, Func<Tensor, Tensor> part)
            {
                if (gradient is not null)
                {
                    whole.grad ??= zeros_like(whole);
                    part(whole.grad!).copy_(gradient);
                }
            }
        }

        /// <summary>The part of a tensor that has what is learned along its first dimension.</summary>
        private Tensor OfLearnt(Tensor whole)
        {
            var (all, start, count) = _part!.Value;
            var each = all.Values.numel() / all.Values.shape[0];
            return _pieceOfWeight is not null ? whole.narrow(0, 0, whole.shape[0]) : whole.narrow(0, start * each, count * each);
        }

        public void Release()
        {
            Noise?.Dispose();
            Trained?.Dispose();
            (Noise, Trained) = (null, null);
        }

        public void Dispose()
        {
            Release();
            Learnt.Dispose();
            _pieceOfWeight?.Dispose();
        }
    }
}
