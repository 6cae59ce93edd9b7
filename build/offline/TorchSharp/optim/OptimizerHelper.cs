using TorchSharp.Interop;

namespace TorchSharp.Modules;

public abstract class OptimizerHelper : optim.Optimizer
{
    public override void zero_grad() => base.zero_grad();

    public override void add_param_group(ParamGroup param_group) => base.add_param_group(param_group);

    public override IEnumerable<Parameter> parameters() => base.parameters();

    // The closure's loss, with gradients on whatever the caller's mode is, then one native call a group.
    private protected Tensor? Step(Func<Tensor>? closure, Action<ParamGroup> update)
    {
        Tensor? loss = null;
        if (closure is not null)
        {
            using (enable_grad())
            {
                loss = closure();
            }
        }

        foreach (ParamGroup group in _parameter_groups)
        {
            update(group);
        }

        return loss;
    }
}

public class OptimizerOptions
{
    public double? LearningRate { get; set; }

    public double InitialLearningRate { get; set; }
}

public abstract class OptimizerState
{
    protected Parameter _parameter;

    protected OptimizerState(Parameter parameter) => _parameter = parameter;

    public abstract void Initialize(OptimizerOptions options);
}

public class ParamGroup : optim.ILearningRateController
{
    private Parameter[] _parameters = [];

    public IEnumerable<Parameter> Parameters
    {
        get => _parameters;
        set => _parameters = [.. value];
    }

    public OptimizerOptions Options { get; set; } = null!;

    public double LearningRate
    {
        get => Options.LearningRate!.Value;
        set => Options.LearningRate = value;
    }

    public double InitialLearningRate
    {
        get => Options.InitialLearningRate;
        set => Options.InitialLearningRate = value;
    }

    internal Parameter[] Members => _parameters;

    internal unsafe void ZeroGradients()
    {
        nint[] handles = Handles.Of(_parameters);
        fixed (nint* pointer = handles)
        {
            NativeMethods.Check(NativeMethods.ts_zero_grads(pointer, handles.Length, setToNone: 0));
        }
    }
}

public class ParamGroup<TOptions> : ParamGroup
    where TOptions : OptimizerOptions
{
    public ParamGroup()
    {
    }

    public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
    {
        Parameters = parameters;
        base.Options = options!;
    }

    public new TOptions Options
    {
        get => (TOptions)base.Options;
        set => base.Options = value;
    }
}
