using System.Runtime.CompilerServices;

namespace TorchSharp.Modules
{
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.IModule<Tensor, Tensor>> _layers = [];

        internal Sequential(IEnumerable<(string Name, nn.Module<Tensor, Tensor> Module)> modules)
            : base(nameof(Sequential))
        {
            foreach ((string name, nn.Module<Tensor, Tensor> module) in modules)
            {
                append(name, module);
            }
        }

        public int Count => _layers.Count;

        [IndexerName("SequentialItems")]
        public nn.IModule<Tensor, Tensor> this[int index] => _layers[index];

        public Sequential append(nn.IModule<Tensor, Tensor> module) => append(_layers.Count.ToString(), module);

        public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
        {
            register_module(name, (nn.Module)module);
            _layers.Add(module);
            return this;
        }

        public override Tensor forward(Tensor tensor)
        {
            if (_layers.Count == 0)
            {
                return tensor.alias();
            }

            Tensor result = _layers[0].call(tensor);
            foreach (nn.IModule<Tensor, Tensor> layer in _layers.Skip(1))
            {
                using Tensor input = result;
                result = layer.call(input);
            }

            return result;
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Sequential Sequential() => new([]);

            public static Modules.Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Modules.Sequential Sequential(params Module<Tensor, Tensor>[] modules)
                => new(modules.Select((module, i) => (i.ToString(), module)));

            public static Modules.Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules);

            public static Modules.Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => Sequential([.. modules]);
        }
    }
}
