using System.Collections.Immutable;
using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Normalizes the values of one column, scalars or vectors of the type it was made from.</summary>
internal abstract class NormalizerFunction
{
    protected NormalizerFunction(DataViewType type) => Type = type;

    public DataViewType Type { get; }

    public abstract NormalizingTransformer.NormalizerModelParametersBase Parameters { get; }

    public static NormalizerFunction Read(BinaryReader reader)
    {
        var type = DataViewTypeCodec.Read(reader);
        return GenericCall.Static<NormalizerFunction>(typeof(NormalizerFunction), nameof(ReadTyped), [type.ItemType().RawType], type, reader);
    }

    public abstract void Write(BinaryWriter writer);

    public abstract Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source);

    private static NormalizerFunction ReadTyped<T>(DataViewType type, BinaryReader reader)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        bool isCdf = reader.ReadBoolean();
        T[] first = ReadArray<T>(reader)!;
        T[]? second = ReadArray<T>(reader);
        return isCdf ? new CdfFunction<T>(type, first, second!) : new AffineFunction<T>(type, first, second);
    }

    private static T[]? ReadArray<T>(BinaryReader reader)
    {
        int size = reader.ReadInt32();
        if (size < 0)
        {
            return null;
        }

        var values = new T[size];
        for (int i = 0; i < size; i++)
        {
            values[i] = ValueCodec.Read<T>(reader);
        }

        return values;
    }
}

/// <param name="type">The type of the column.</param>
/// <param name="isCdf">Which of the two functions this is.</param>
/// <param name="first">The scale, or the mean, of each slot.</param>
/// <param name="second">The offset, or the standard deviation, of each slot.</param>
internal abstract class NormalizerFunction<T>(DataViewType type, bool isCdf, T[] first, T[]? second) : NormalizerFunction(type)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    protected T[] First => first;

    protected T[]? Second => second;

    protected bool IsVector => Type is VectorDataViewType;

    public override void Write(BinaryWriter writer)
    {
        DataViewTypeCodec.Write(writer, Type);
        writer.Write(isCdf);
        WriteArray(writer, first);
        WriteArray(writer, second);
    }

    public override Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source)
    {
        if (!IsVector)
        {
            var getItem = input.GetGetter<T>(source);
            T item = default;
            return (ValueGetter<T>)((ref T value) =>
            {
                getItem(ref item);
                value = Map(0, item);
            });
        }

        var getVector = input.GetGetter<VBuffer<T>>(source);
        VBuffer<T> vector = default;
        int size = first.Length;
        return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
        {
            getVector(ref vector);
            if (vector.Length != size)
            {
                throw new InvalidOperationException($"Normalizer expected {size} slots but got {vector.Length}");
            }

            if (!vector.IsDense && KeepsZero)
            {
                var sparse = VBufferEditor.Create(ref value, size, vector.GetValues().Length);
                var items = vector.GetValues();
                var indices = vector.GetIndices();
                for (int i = 0; i < items.Length; i++)
                {
                    sparse.Values[i] = Map(indices[i], items[i]);
                }

                indices.CopyTo(sparse.Indices);
                value = sparse.Commit();
                return;
            }

            var editor = VBufferEditor.Create(ref value, size);
            vector.CopyTo(editor.Values);
            MapAll(editor.Values);
            value = editor.Commit();
        });
    }

    protected abstract bool KeepsZero { get; }

    protected abstract T Map(int slot, T value);

    protected virtual void MapAll(Span<T> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Map(i, values[i]);
        }
    }

    private static void WriteArray(BinaryWriter writer, T[]? values)
    {
        writer.Write(values?.Length ?? -1);
        foreach (T value in values ?? [])
        {
            ValueCodec.Write(writer, value);
        }
    }
}

/// <summary>(value - offset) * scale.</summary>
internal sealed class AffineFunction<T>(DataViewType type, T[] scale, T[]? offset) : NormalizerFunction<T>(type, isCdf: false, scale, offset)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    public override NormalizingTransformer.NormalizerModelParametersBase Parameters => IsVector
        ? new NormalizingTransformer.AffineNormalizerModelParameters<ImmutableArray<T>>([.. First], Second is null ? [] : [.. Second])
        : new NormalizingTransformer.AffineNormalizerModelParameters<T>(First[0], Second?[0] ?? T.Zero);

    protected override bool KeepsZero => Second is null;

    protected override T Map(int slot, T value) => Second is null ? value * First[slot] : (value - Second[slot]) * First[slot];

    protected override void MapAll(Span<T> values)
    {
        int i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            var target = values[i..];
            var value = new Vector<T>(target);
            if (Second is not null)
            {
                value -= new Vector<T>(Second, i);
            }

            (value * new Vector<T>(First, i)).CopyTo(target);
        }

        for (; i < values.Length; i++)
        {
            values[i] = Map(i, values[i]);
        }
    }
}

/// <summary>The normal distribution function, by the same approximation of erf as the real package.</summary>
internal sealed class CdfFunction<T>(DataViewType type, T[] mean, T[] deviation) : NormalizerFunction<T>(type, isCdf: true, mean, deviation)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    public override NormalizingTransformer.NormalizerModelParametersBase Parameters => IsVector
        ? new NormalizingTransformer.CdfNormalizerModelParameters<ImmutableArray<T>>([.. First], [.. Second!])
        : new NormalizingTransformer.CdfNormalizerModelParameters<T>(First[0], Second![0]);

    protected override bool KeepsZero => false;

    protected override T Map(int slot, T value)
    {
        if (!T.IsFinite(value) || !(Second![slot] > T.Epsilon))
        {
            return T.Zero;
        }

        const double shape = 0.147;
        double x = double.CreateTruncating((value - First[slot]) / Second![slot]);
        double half = x * x / 2;
        return T.CreateTruncating(
            0.5 + 0.5 * Math.Sign(x) * Math.Sqrt(1 - Math.Exp(-half * (4 / Math.PI + shape * half) / (1 + shape * half))));
    }
}
