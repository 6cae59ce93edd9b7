using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

[assembly: LoadableClass(typeof(ColumnConcatenatingTransformer), ColumnConcatenatingTransformer.LoaderSignature)]

namespace Microsoft.ML.Data;

public sealed class ColumnConcatenatingTransformer : RowToRowTransformerBase
{
    internal const string LoaderSignature = "ConcatTransform";

    private readonly string _name;
    private readonly string[] _sources;

    internal ColumnConcatenatingTransformer(IHostEnvironment env, string outputColumnName, string[] inputColumnNames)
        : base(env.Register(nameof(ColumnConcatenatingTransformer)))
    {
        _name = outputColumnName;
        _sources = inputColumnNames;
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(_name, _sources, schema);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        ctx.Writer.Write(_name);
        ctx.Writer.Write(_sources.Length);
        foreach (string source in _sources)
        {
            ctx.Writer.Write(source);
        }
    }

    private static ColumnConcatenatingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        string name = ctx.Reader.ReadString();
        var sources = new string[ctx.Reader.ReadInt32()];
        for (int i = 0; i < sources.Length; i++)
        {
            sources[i] = ctx.Reader.ReadString();
        }

        return new ColumnConcatenatingTransformer(env, name, sources);
    }

    private sealed class Mapper : RowMapper
    {
        private readonly string _name;
        private readonly DataViewSchema.Column[] _sources;
        private readonly PrimitiveDataViewType _itemType;
        private readonly int _size;

        public Mapper(string name, string[] sources, DataViewSchema schema)
            : base(schema)
        {
            _name = name;
            _sources = Array.ConvertAll(sources, source => schema.GetColumnOrNull(source)
                ?? throw Contracts.MissingColumn("inputSchema", "input", source, schema.Select(column => column.Name)));
            _itemType = (PrimitiveDataViewType)_sources[0].Type.ItemType();
            bool known = true;
            foreach (var source in _sources)
            {
                if (!source.Type.ItemType().Equals(_itemType))
                {
                    throw Contracts.SchemaMismatch("inputSchema", "input", source.Name, _itemType.ToString()!, source.Type.ToString()!);
                }

                known &= source.Type.ValueCount() > 0;
                _size += source.Type.ValueCount();
            }

            _size = known ? _size : 0;
        }

        // A single vector passes as it is, with its annotations.
        private bool IsIdentity => _sources.Length == 1 && _sources[0].Type is VectorDataViewType;

        public override IEnumerable<int> GetDependencies(int output) => _sources.Select(source => source.Index);

        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            if (IsIdentity)
            {
                return [new(_name, _sources[0].Type, _sources[0].Annotations)];
            }

            var annotations = new DataViewSchema.Annotations.Builder();
            if (_itemType is NumberDataViewType && _sources.All(source => source.IsNormalized()))
            {
                annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
            }

            if (_size > 0 && _sources.Any(source => source.Type is not VectorDataViewType || source.HasSlotNames()))
            {
                annotations.Add<VBuffer<ReadOnlyMemory<char>>>(
                    AnnotationKinds.SlotNames, new VectorDataViewType(TextDataViewType.Instance, _size), GetSlotNames);
            }

            return [new(_name, new VectorDataViewType(_itemType, _size), annotations.ToAnnotations())];
        }

        protected override Delegate MakeGetter(DataViewRow input, int output) => GenericCall.Instance<Delegate>(
            this, IsIdentity ? nameof(GetVector) : nameof(Concatenate), [_itemType.RawType], input);

        /// <summary>Scalars name their slot; named slots of a vector are prefixed with its name.</summary>
        private void GetSlotNames(ref VBuffer<ReadOnlyMemory<char>> value)
        {
            var editor = VBufferEditor.Create(ref value, _size);
            VBuffer<ReadOnlyMemory<char>> names = default;
            int slot = 0;
            foreach (var source in _sources)
            {
                if (source.Type is not VectorDataViewType vector)
                {
                    editor.Values[slot++] = source.Name.AsMemory();
                    continue;
                }

                editor.Values.Slice(slot, vector.Size).Clear();
                if (source.HasSlotNames())
                {
                    source.GetSlotNames(ref names);
                    foreach (var (index, name) in names.Items())
                    {
                        editor.Values[slot + index] = name.IsEmpty ? default : $"{source.Name}.{name}".AsMemory();
                    }
                }

                slot += vector.Size;
            }

            value = editor.Commit();
        }

        private ValueGetter<VBuffer<T>> GetVector<T>(DataViewRow input) => input.GetGetter<VBuffer<T>>(_sources[0]);

        private ValueGetter<VBuffer<T>> Concatenate<T>(DataViewRow input)
        {
            var getItem = new ValueGetter<T>?[_sources.Length];
            var getVector = new ValueGetter<VBuffer<T>>?[_sources.Length];
            for (int i = 0; i < _sources.Length; i++)
            {
                if (_sources[i].Type is VectorDataViewType)
                {
                    getVector[i] = input.GetGetter<VBuffer<T>>(_sources[i]);
                }
                else
                {
                    getItem[i] = input.GetGetter<T>(_sources[i]);
                }
            }

            var vectors = new VBuffer<T>[_sources.Length];
            return (ref VBuffer<T> value) =>
            {
                int length = 0, count = 0;
                for (int i = 0; i < vectors.Length; i++)
                {
                    if (getVector[i] is not { } get)
                    {
                        length = checked(length + 1);
                        count++;
                        continue;
                    }

                    get(ref vectors[i]);
                    int expected = _sources[i].Type.ValueCount();
                    if (expected > 0 && vectors[i].Length != expected)
                    {
                        throw new InvalidOperationException($"Column '{_sources[i].Name}': expected {expected} slots, but got {vectors[i].Length}");
                    }

                    length = checked(length + vectors[i].Length);
                    count += vectors[i].GetValues().Length;
                }

                value = count <= length / 2 ? Sparse(ref value, length, count) : Dense(ref value, length);
            };

            VBuffer<T> Dense(ref VBuffer<T> value, int length)
            {
                var editor = VBufferEditor.Create(ref value, length);
                int slot = 0;
                for (int i = 0; i < vectors.Length; i++)
                {
                    if (getItem[i] is { } get)
                    {
                        get(ref editor.Values[slot++]);
                    }
                    else
                    {
                        vectors[i].CopyTo(editor.Values, slot);
                        slot += vectors[i].Length;
                    }
                }

                return editor.Commit();
            }

            VBuffer<T> Sparse(ref VBuffer<T> value, int length, int count)
            {
                var editor = VBufferEditor.Create(ref value, length, count);
                int slot = 0, next = 0;
                for (int i = 0; i < vectors.Length; i++)
                {
                    if (getItem[i] is { } get)
                    {
                        get(ref editor.Values[next]);
                        editor.Indices[next++] = slot++;
                        continue;
                    }

                    var items = vectors[i].GetValues();
                    var indices = vectors[i].GetIndices();
                    for (int k = 0; k < items.Length; k++)
                    {
                        editor.Values[next] = items[k];
                        editor.Indices[next++] = slot + (indices.IsEmpty ? k : indices[k]);
                    }

                    slot += vectors[i].Length;
                }

                return editor.Commit();
            }
        }
    }
}
