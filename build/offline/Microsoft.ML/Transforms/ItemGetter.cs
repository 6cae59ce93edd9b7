using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Maps one value to another.</summary>
internal delegate void ItemMapper<TSource, TDestination>(in TSource source, ref TDestination destination);

/// <summary>Getters that map a column's value, or every item of it where it is a vector.</summary>
internal static class ItemGetter
{
    /// <param name="input">The row.</param>
    /// <param name="column">The column of the row, a scalar or a vector.</param>
    /// <param name="map">Maps one item.</param>
    /// <param name="keepsDefault">Whether the default value maps to the default value, so that sparse vectors stay sparse.</param>
    public static Delegate Make<TSource, TDestination>(
        DataViewRow input, DataViewSchema.Column column, ItemMapper<TSource, TDestination> map, bool keepsDefault)
    {
        if (column.Type is not VectorDataViewType)
        {
            var getItem = input.GetGetter<TSource>(column);
            TSource item = default!;
            return (ValueGetter<TDestination>)((ref TDestination value) =>
            {
                getItem(ref item);
                map(in item, ref value);
            });
        }

        var getSource = input.GetGetter<VBuffer<TSource>>(column);
        VBuffer<TSource> source = default;
        return (ValueGetter<VBuffer<TDestination>>)((ref VBuffer<TDestination> value) =>
        {
            getSource(ref source);
            var items = source.GetValues();
            if (source.IsDense || keepsDefault)
            {
                var editor = VBufferEditor.Create(ref value, source.Length, items.Length);
                for (int i = 0; i < items.Length; i++)
                {
                    map(in items[i], ref editor.Values[i]);
                }

                source.GetIndices().CopyTo(editor.Indices);
                value = editor.Commit();
                return;
            }

            var dense = VBufferEditor.Create(ref value, source.Length);
            TSource none = default!;
            var indices = source.GetIndices();
            int next = 0;
            for (int slot = 0; slot < source.Length; slot++)
            {
                if (next < indices.Length && indices[next] == slot)
                {
                    map(in items[next++], ref dense.Values[slot]);
                }
                else
                {
                    map(in none, ref dense.Values[slot]);
                }
            }

            value = dense.Commit();
        });
    }
}
