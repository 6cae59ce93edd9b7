using System.Collections;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>What is known of a schema before the data are seen: names, kinds and item types, but no sizes.</summary>
public sealed class SchemaShape : IReadOnlyList<SchemaShape.Column>
{
    private static readonly SchemaShape Empty = new([]);

    private readonly Column[] _columns;

    public SchemaShape(IEnumerable<Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        _columns = [.. columns];
        Contracts.CheckParam(_columns.All(column => column.IsValid), nameof(columns), "A column is not initialised");
    }

    public int Count => _columns.Length;

    public Column this[int index] => _columns[index];

    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static SchemaShape Create(DataViewSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new SchemaShape(schema
            .Where(column => !column.IsHidden)
            .Select(column => ColumnOf(
                column,
                new SchemaShape(column.Annotations.Schema.Select(annotation => ColumnOf(annotation, Empty))))));
    }

    internal bool TryFindColumn(string name, out Column column)
    {
        column = _columns.FirstOrDefault(candidate => candidate.Name == name);
        return column.IsValid;
    }

    /// <summary>This shape with columns added, or put in the place of those of the same name.</summary>
    internal SchemaShape With(IEnumerable<Column> added)
    {
        var columns = _columns.ToDictionary(column => column.Name);
        foreach (Column column in added)
        {
            columns[column.Name] = column;
        }

        return new SchemaShape(columns.Values);
    }

    private static Column ColumnOf(DataViewSchema.Column column, SchemaShape annotations)
    {
        (Column.VectorKind kind, DataViewType item) = column.Type is VectorDataViewType vector
            ? (vector.IsKnownSize ? Column.VectorKind.Vector : Column.VectorKind.VariableVector, vector.ItemType)
            : (Column.VectorKind.Scalar, column.Type);
        return item is KeyDataViewType
            ? new Column(column.Name, kind, DataViewTypes.PrimitiveOf(item.RawType), isKey: true, annotations)
            : new Column(column.Name, kind, item, isKey: false, annotations);
    }

    public struct Column
    {
        public readonly string Name;

        public readonly VectorKind Kind;

        public readonly DataViewType ItemType;

        public readonly bool IsKey;

        public readonly SchemaShape Annotations;

        internal Column(string name, VectorKind vecKind, DataViewType itemType, bool isKey, SchemaShape? annotations = null)
        {
            Contracts.CheckNonEmpty(name);
            Contracts.CheckParam(itemType is not KeyDataViewType and not VectorDataViewType, nameof(itemType), "An item type is neither a key nor a vector");
            Name = name;
            Kind = vecKind;
            ItemType = itemType;
            IsKey = isKey;
            Annotations = annotations ?? Empty;
        }

        internal readonly bool IsValid => Name is not null;

        /// <summary>Whether a source column offers what this one asks for.</summary>
        internal readonly bool IsCompatibleWith(Column source)
        {
            if (Name != source.Name || Kind != source.Kind || !ItemType.Equals(source.ItemType) || IsKey != source.IsKey)
            {
                return false;
            }

            foreach (Column annotation in Annotations)
            {
                if (!source.Annotations.TryFindColumn(annotation.Name, out Column found) || !annotation.IsCompatibleWith(found))
                {
                    return false;
                }
            }

            return true;
        }

        internal readonly string GetTypeString()
        {
            string type = IsKey ? $"Key<{ItemType}>" : ItemType.ToString()!;
            return Kind switch
            {
                VectorKind.Vector => $"Vector<{type}>",
                VectorKind.VariableVector => $"VarVector<{type}>",
                _ => type,
            };
        }

        public enum VectorKind
        {
            Scalar,
            Vector,
            VariableVector,
        }
    }
}
