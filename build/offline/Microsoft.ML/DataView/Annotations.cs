using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    /// <summary>Named values that describe a column; each has a type as a column has, and a getter.</summary>
    public sealed class Annotations
    {
        private readonly Delegate[] _getters;

        private Annotations(DataViewSchema schema, Delegate[] getters)
        {
            Schema = schema;
            _getters = getters;
        }

        public static Annotations Empty { get; } = new(new DataViewSchema([]), []);

        public DataViewSchema Schema { get; }

        public ValueGetter<TValue> GetGetter<TValue>(Column column)
        {
            if (column.Index >= _getters.Length || Schema[column.Index].Name != column.Name)
            {
                throw new ArgumentException($"The annotations hold no '{column.Name}' at index {column.Index}", nameof(column));
            }

            return _getters[column.Index] as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Annotation '{column.Name}' is of type {Schema[column.Index].Type.RawType}, not {typeof(TValue)}");
        }

        public void GetValue<TValue>(string kind, ref TValue value)
        {
            Column column = Schema.GetColumnOrNull(kind)
                ?? throw new InvalidOperationException($"There is no annotation '{kind}', only {Described(this)}");
            GetGetter<TValue>(column)(ref value);
        }

        public override string ToString() => Described(this);

        private static string Described(Annotations annotations) => annotations.Schema.Count == 0
            ? "[]"
            : string.Join(", ", annotations.Schema.Select(column => column.Name));

        public sealed class Builder
        {
            private readonly List<DetachedColumn> _items = [];
            private readonly List<Delegate> _getters = [];

            public void Add(Annotations annotations, Func<string, bool> selector)
            {
                ArgumentNullException.ThrowIfNull(selector);
                if (annotations is null)
                {
                    return;
                }

                foreach (Column column in annotations.Schema.Where(column => selector(column.Name)))
                {
                    _items.Add(new DetachedColumn(column));
                    _getters.Add(annotations._getters[column.Index]);
                }
            }

            public void Add<TValue>(string name, DataViewType type, ValueGetter<TValue> getter, Annotations? annotations = null)
            {
                Contracts.CheckNonEmpty(name);
                ArgumentNullException.ThrowIfNull(type);
                ArgumentNullException.ThrowIfNull(getter);
                if (type.RawType != typeof(TValue))
                {
                    throw new ArgumentException($"The raw type of annotation '{name}' is {type.RawType}, its getter gives {typeof(TValue)}", nameof(type));
                }

                AddUnchecked(name, type, getter, annotations);
            }

            public void Add(string name, DataViewType type, Delegate getter, Annotations? annotations = null)
            {
                Contracts.CheckNonEmpty(name);
                ArgumentNullException.ThrowIfNull(type);
                ArgumentNullException.ThrowIfNull(getter);
                Type expected = typeof(ValueGetter<>).MakeGenericType(type.RawType);
                if (getter.GetType() != expected)
                {
                    throw new ArgumentException($"The getter of annotation '{name}' is a {getter.GetType()}, not a {expected}", nameof(getter));
                }

                AddUnchecked(name, type, getter, annotations);
            }

            public void AddPrimitiveValue<TValue>(string name, PrimitiveDataViewType type, TValue value, Annotations? annotations = null)
            {
                Contracts.CheckNonEmpty(name);
                ArgumentNullException.ThrowIfNull(type);
                if (type.RawType != typeof(TValue))
                {
                    throw new ArgumentException($"The raw type of annotation '{name}' is {type.RawType}, its value a {typeof(TValue)}", nameof(type));
                }

                AddUnchecked(name, type, (ValueGetter<TValue>)((ref TValue destination) => destination = value), annotations);
            }

            public Annotations ToAnnotations() => _items.Count == 0 ? Empty : new Annotations(new DataViewSchema(_items), [.. _getters]);

            private void AddUnchecked(string name, DataViewType type, Delegate getter, Annotations? annotations)
            {
                _items.Add(new DetachedColumn(name, type, annotations));
                _getters.Add(getter);
            }
        }
    }
}
