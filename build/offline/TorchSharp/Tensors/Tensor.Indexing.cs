using System.Runtime.CompilerServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index([.. indices.Select(TensorIndex.Tensor)]);
            set => index_put_(value, [.. indices.Select(TensorIndex.Tensor)]);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => index([i1]);
            set => index_put_(value, [i1]);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => index([i1, i2]);
            set => index_put_(value, [i1, i2]);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => index([i1, i2, i3]);
            set => index_put_(value, [i1, i2, i3]);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => index([i1, i2, i3, i4]);
            set => index_put_(value, [i1, i2, i3, i4]);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            (Tensor view, Tensor?[]? gathered) = View(indices);
            if (gathered is null)
            {
                return view;
            }

            using (view)
            {
                return Operator.Call("index.Tensor", view, Argument.OptionalList(gathered));
            }
        }

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            (Tensor view, Tensor?[]? gathered) = View(indices);
            using (view)
            {
                if (gathered is null)
                {
                    view.copy_(value);
                }
                else
                {
                    Operator.CallInPlace("index_put_", view, Argument.OptionalList(gathered), value);
                }
            }

            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using Tensor tensor = Operator.Call("scalar_tensor", value, dtype, default, device);
            return index_put_(tensor, indices);
        }

        // Numbers, slices and new axes make a view; tensors then pick from its dimensions.
        private (Tensor View, Tensor?[]? Gathered) View(TensorIndex[] indices)
        {
            Tensor view = alias();
            List<Tensor?> gathered = [];
            long dim = 0;
            int taking = indices.Count(index => index.Kind is not (TensorIndex.IndexKind.Ellipsis or TensorIndex.IndexKind.NewAxis));
            foreach (TensorIndex index in indices)
            {
                Tensor next;
                switch (index.Kind)
                {
                    case TensorIndex.IndexKind.Single:
                        next = view.select(dim, index.Start!.Value);
                        break;
                    case TensorIndex.IndexKind.Slice:
                        next = Operator.Call("slice.Tensor", view, dim++, index.Start, index.Stop, index.Step ?? 1);
                        break;
                    case TensorIndex.IndexKind.NewAxis:
                        next = view.unsqueeze(dim++);
                        break;
                    case TensorIndex.IndexKind.Ellipsis:
                        dim += Dimensions - taking;
                        continue;
                    default:
                        while (gathered.Count < dim)
                        {
                            gathered.Add(null);
                        }

                        gathered.Add(index.Source);
                        dim++;
                        continue;
                }

                view.Dispose();
                view = next;
            }

            return (view, gathered.Count > 0 ? [.. gathered] : null);
        }
    }
}
