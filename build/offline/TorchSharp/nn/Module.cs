using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public interface IModule<T, TResult>
        {
            TResult call(T input1);
        }

        public class Module : IDisposable
        {
            private readonly List<(string Name, Parameter Parameter)> _ownParameters = [];
            private readonly List<(string Name, Tensor Buffer, bool Persistent)> _ownBuffers = [];
            private readonly List<(string Name, Module Module)> _ownModules = [];
            private readonly string _name;

            protected Module(string name) => _name = name;

            ~Module() => Dispose(false);

            public virtual bool training { get; private set; } = true;

            public virtual string GetName() => _name;

            public virtual void register_parameter(string name, Parameter param)
            {
                RequireNew(name, _ownParameters.Any(own => own.Name == name));
                _ownParameters.Add((name, param));
            }

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                RequireNew(name, _ownBuffers.Any(own => own.Name == name));
                _ownBuffers.Add((name, tensor, persistent));
            }

            public virtual void register_module(string name, Module submodule)
            {
                if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
                {
                    throw new ArgumentException($"A module's name can't be empty or contain a dot, got: '{name}'");
                }

                RequireNew(name, _ownModules.Any(own => own.Name == name));
                submodule.RegisterComponents();
                _ownModules.Add((name, submodule));
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
                => Own(module => module._ownParameters, recurse);

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(named => named.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
                => Own(module => module._ownBuffers.Where(own => include_nonpersistent || own.Persistent).Select(own => (own.Name, own.Buffer)), recurse);

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true)
                => named_buffers(recurse, include_nonpersistent).Select(named => named.buffer);

            public virtual IEnumerable<(string name, Module module)> named_children() => _ownModules;

            public virtual IEnumerable<Module> children() => named_children().Select(named => named.module);

            public virtual IEnumerable<(string name, Module module)> named_modules()
                => named_children().SelectMany(child => child.module.named_modules()
                    .Select(named => ($"{child.name}.{named.name}", named.module)).Prepend(child));

            public virtual IEnumerable<Module> modules() => named_modules().Select(named => named.module);

            public virtual Module apply(Action<Module> fn)
            {
                foreach (Module child in children())
                {
                    child.apply(fn);
                }

                fn(this);
                return this;
            }

            public virtual void train(bool train = true)
            {
                training = train;
                foreach (Module child in children())
                {
                    child.train(train);
                }
            }

            public virtual void eval() => train(false);

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (Parameter parameter in parameters())
                {
                    if (set_to_none)
                    {
                        parameter.grad = null;
                        continue;
                    }

                    using Tensor? gradient = parameter.grad;
                    gradient?.zero_();
                }
            }

            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach ((string name, Parameter parameter) in named_parameters())
                {
                    destination.TryAdd(start + name, parameter);
                }

                foreach ((string name, Tensor buffer) in named_buffers(include_nonpersistent: false))
                {
                    destination.TryAdd(start + name, buffer);
                }

                return destination;
            }

            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                Dictionary<string, Tensor> destination = state_dict();
                List<string> missing = [.. destination.Keys.Except(source.Keys).Except(skip ?? [])];
                List<string> unexpected = [.. source.Keys.Except(destination.Keys).Except(skip ?? [])];
                if (strict && (missing.Count > 0 || unexpected.Count > 0))
                {
                    throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                }

                using (no_grad())
                {
                    foreach (string key in destination.Keys.Intersect(source.Keys).Except(skip ?? []))
                    {
                        destination[key].copy_(source[key]);
                    }
                }

                return (missing, unexpected);
            }

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            /// <summary>Replaces this module's own parameters and buffers by what they convert to.</summary>
            internal void Convert(ScalarType? dtype, Device? device)
            {
                using IDisposable mode = no_grad();
                foreach (Tensor tensor in named_parameters().Select(named => (Tensor)named.parameter).Concat(buffers()))
                {
                    tensor.ConvertInPlace(tensor.is_floating_point() ? dtype : null, device);
                }
            }

            protected virtual void RegisterComponents()
            {
                for (Type? type = GetType(); type is not null && type != typeof(Module); type = type.BaseType)
                {
                    foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    {
                        Register(field.Name, field.GetValue(this));
                    }
                }
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing)
                {
                    return;
                }

                foreach ((_, Parameter parameter) in _ownParameters)
                {
                    parameter.Dispose();
                }

                foreach ((_, Tensor buffer, _) in _ownBuffers)
                {
                    buffer.Dispose();
                }

                foreach ((_, Module module) in _ownModules)
                {
                    module.Dispose();
                }
            }

            // A layer keeps what it was given: parameters and buffers outlive the scope they were made in.
            private protected Parameter Own(string name, Tensor value)
            {
                var parameter = value as Parameter ?? new Parameter(value);
                parameter.DetachFromDisposeScope();
                register_parameter(name, parameter);
                return parameter;
            }

            private protected Tensor OwnBuffer(string name, Tensor value)
            {
                value.DetachFromDisposeScope();
                register_buffer(name, value);
                return value;
            }

            private protected void Exchange(string name, ref Parameter? field, Parameter? value)
            {
                if (ReferenceEquals(field, value))
                {
                    return;
                }

                field?.Dispose();
                _ownParameters.RemoveAll(own => own.Name == name);
                field = value is null ? null : Own(name, value);
            }

            private protected void ExchangeBuffer(string name, ref Tensor? field, Tensor? value)
            {
                if (ReferenceEquals(field, value))
                {
                    return;
                }

                field?.Dispose();
                _ownBuffers.RemoveAll(own => own.Name == name);
                field = value is null ? null : OwnBuffer(name, value);
            }

            private static void RequireNew(string name, bool known)
            {
                if (known)
                {
                    throw new InvalidOperationException($"{name} is already registered.");
                }
            }

            private void Register(string name, object? value)
            {
                switch (value)
                {
                    case Module module when !_ownModules.Any(own => own.Name == name):
                        register_module(name, module);
                        break;
                    case Parameter parameter when !_ownParameters.Any(own => ReferenceEquals(own.Parameter, parameter)):
                        register_parameter(name, parameter);
                        break;
                    case Tensor tensor and not Modules.Parameter when !_ownBuffers.Any(own => ReferenceEquals(own.Buffer, tensor)):
                        register_buffer(name, tensor);
                        break;
                }
            }

            private IEnumerable<(string, T)> Own<T>(Func<Module, IEnumerable<(string Name, T Value)>> select, bool recurse)
            {
                HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
                IEnumerable<(string Prefix, Module Module)> sources = recurse
                    ? named_modules().Select(named => (named.name + ".", named.module)).Prepend(("", this))
                    : [("", this)];
                foreach ((string prefix, Module module) in sources)
                {
                    foreach ((string name, T value) in select(module))
                    {
                        if (seen.Add(value!))
                        {
                            yield return (prefix + name, value);
                        }
                    }
                }
            }
        }

        public class HookableModule<TModule, TPreHook, TPostHook> : Module
        {
            protected HookableModule(string name)
                : base(name)
            {
            }
        }

        public abstract class Module<T, TResult> : HookableModule<Module<T, TResult>, Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>, IModule<T, TResult>
        {
            protected Module(string name)
                : base(name)
            {
            }

            public abstract TResult forward(T input);

            public TResult call(T input) => forward(input);
        }
    }
}
