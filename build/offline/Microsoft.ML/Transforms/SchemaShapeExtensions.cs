using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>What estimators ask of the shape of their input.</summary>
internal static class SchemaShapeExtensions
{
    public static SchemaShape.Column Require(this SchemaShape inputSchema, string name) => inputSchema.TryFindColumn(name, out var column)
        ? column
        : throw Contracts.MissingColumn(nameof(inputSchema), "input", name, inputSchema.Select(present => present.Name));

    /// <summary>The annotations of a column that have one of the given names.</summary>
    public static IEnumerable<SchemaShape.Column> AnnotationsNamed(this SchemaShape.Column column, params string[] names) =>
        column.Annotations.Where(annotation => names.Contains(annotation.Name));
}
