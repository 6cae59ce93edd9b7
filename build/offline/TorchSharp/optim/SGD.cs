using TorchSharp.Interop;
using TorchSharp.Modules;

namespace TorchSharp.Modules
{
    public class SGD : OptimizerHelper, optim.IMomentum
    {
        private readonly Options _options;
        private readonly Dictionary<Parameter, State> _states = new(ReferenceEqualityComparer.Instance);

        public SGD(IEnumerable<Parameter> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : this([new ParamGroup { Parameters = parameters }], lr, momentum, dampening, weight_decay, nesterov, maximize)
        {
        }

        public SGD(IEnumerable<ParamGroup> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
        {
            Require(lr >= 0, $"Invalid learning rate: {lr}");
            Require(momentum >= 0, $"Invalid momentum value: {momentum}");
            Require(dampening is >= 0 and <= 1, $"Invalid dampening value: {dampening}");
            Require(weight_decay >= 0, $"Invalid weight_decay value: {weight_decay}");
            Require(!nesterov || (momentum != 0 && dampening == 0), "Nesterov momentum requires a momentum and zero dampening");
            _options = new Options
            {
                LearningRate = lr,
                InitialLearningRate = lr,
                momentum = momentum,
                dampening = dampening,
                weight_decay = weight_decay,
                nesterov = nesterov,
                maximize = maximize,
            };
            foreach (ParamGroup group in parameters)
            {
                add_param_group(group);
            }
        }

        public double Momentum
        {
            get => _options.momentum!.Value;
            set => _options.momentum = value;
        }

        public override Tensor? step(Func<Tensor>? closure = null) => Step(closure, Update);

        public override void add_param_group(Modules.ParamGroup param_group)
        {
            param_group.Options ??= new Options();
            var options = (Options)param_group.Options;
            options.LearningRate ??= _options.LearningRate;
            options.momentum ??= _options.momentum;
            options.dampening ??= _options.dampening;
            options.weight_decay ??= _options.weight_decay;
            options.nesterov ??= _options.nesterov;
            options.maximize ??= _options.maximize;
            options.InitialLearningRate = options.LearningRate!.Value;
            base.add_param_group(param_group);
            foreach (Parameter parameter in param_group.Members)
            {
                var state = new State(parameter);
                state.Initialize(options);
                _states[parameter] = state;
            }
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            foreach (State state in _states.Values)
            {
                state.Dispose();
            }
        }

        private static void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new ArgumentException(message);
            }
        }

        private unsafe void Update(Modules.ParamGroup group)
        {
            var options = (Options)group.Options;
            Parameter[] parameters = group.Members;
            nint[] handles = Handles.Of(parameters);
            nint[] buffers = Handles.Of(parameters.Select(parameter => _states[parameter].momentum_buffer));
            int status;
            fixed (nint* p = handles, b = buffers)
            {
                status = NativeMethods.ts_sgd_step(p, b, handles.Length, group.LearningRate, options.momentum!.Value,
                    options.dampening!.Value, options.weight_decay!.Value, options.nesterov!.Value ? 1 : 0, options.maximize!.Value ? 1 : 0);
            }

            for (int i = 0; i < buffers.Length; i++)
            {
                State state = _states[parameters[i]];
                if (state.momentum_buffer is null && buffers[i] != 0)
                {
                    state.momentum_buffer = new Tensor(buffers[i]).DetachFromDisposeScope();
                }
            }

            NativeMethods.Check(status);
        }

        public sealed class State : OptimizerState, IDisposable
        {
            public Tensor? momentum_buffer;

            public State(Parameter parameter)
                : base(parameter)
            {
            }

            public override void Initialize(OptimizerOptions options) => Dispose();

            public void Dispose()
            {
                momentum_buffer?.Dispose();
                momentum_buffer = null;
            }
        }

        public class Options : OptimizerOptions
        {
            public double? momentum;
            public double? dampening;
            public double? weight_decay;
            public bool? nesterov;
            public bool? maximize;
        }

        public class ParamGroup : ParamGroup<Options>, optim.IMomentum
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options)
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.001, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
                : base(parameters, new Options
                {
                    LearningRate = lr,
                    momentum = momentum,
                    dampening = dampening,
                    weight_decay = weight_decay,
                    nesterov = nesterov,
                    maximize = maximize,
                })
            {
            }

            public double Momentum
            {
                get => Options.momentum!.Value;
                set => Options.momentum = value;
            }
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static SGD SGD(IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
                => new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(IEnumerable<(string name, Parameter parameter)> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
                => new(parameters.Select(named => named.parameter), learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(IEnumerable<SGD.ParamGroup> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
                => new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}
