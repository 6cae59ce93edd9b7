using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class NormalizingEstimator : IEstimator<NormalizingTransformer>
{
    private readonly IHost _host;
    private readonly NormalizerColumn[] _columns;

    internal NormalizingEstimator(IHostEnvironment env, NormalizerColumn[] columns)
    {
        _host = env.Register(nameof(NormalizingEstimator));
        foreach (var column in columns)
        {
            Contracts.CheckNonEmpty(column.Output, "outputColumnName");
            Contracts.CheckNonEmpty(column.Input, "inputColumnName");
            Contracts.CheckParam(column.MaximumExampleCount > 1, "maximumExampleCount", "Must be greater than 1");
        }

        _columns = columns;
    }

    public NormalizingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        var sources = Array.ConvertAll(_columns, column => input.Schema[column.Input]);
        var statistics = new NormalizerStatistics[_columns.Length];
        using (var cursor = input.GetRowCursor(sources))
        {
            for (int i = 0; i < sources.Length; i++)
            {
                statistics[i] = GenericCall.Static<NormalizerStatistics>(
                    typeof(NormalizerStatistics), nameof(NormalizerStatistics.Create), [sources[i].Type.ItemType().RawType], _columns[i], cursor, sources[i]);
            }

            for (long row = 0; cursor.MoveNext(); row++)
            {
                bool any = false;
                for (int i = 0; i < sources.Length; i++)
                {
                    if (row < _columns[i].MaximumExampleCount)
                    {
                        statistics[i].AddRow();
                        any = true;
                    }
                }

                if (!any)
                {
                    break;
                }
            }
        }

        return new NormalizingTransformer(
            _host,
            [.. _columns.Select(column => (column.Output, column.Input))],
            [.. statistics.Select(column => column.ToFunction())]);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(_columns.Select(column =>
        {
            var source = inputSchema.Require(column.Input);
            if (source.Kind == SchemaShape.Column.VectorKind.VariableVector)
            {
                throw Contracts.SchemaMismatch(nameof(inputSchema), "input", column.Input, "known-size vector or scalar", source.GetTypeString());
            }

            if (source.IsKey || (!source.ItemType.Equals(NumberDataViewType.Single) && !source.ItemType.Equals(NumberDataViewType.Double)))
            {
                throw Contracts.SchemaMismatch(nameof(inputSchema), "input", column.Input, "vector or scalar of Single or Double", source.GetTypeString());
            }

            SchemaShape.Column[] annotations =
            [
                new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false),
                .. source.AnnotationsNamed(AnnotationKinds.SlotNames),
            ];
            return new SchemaShape.Column(column.Output, source.Kind, source.ItemType, false, new SchemaShape(annotations));
        }));
    }
}

internal enum NormalizerMode
{
    MinMax,
    MeanVariance,
}

/// <summary>How one column is normalized.</summary>
internal sealed record NormalizerColumn(string Output, string Input, NormalizerMode Mode, long MaximumExampleCount, bool FixZero, bool UseCdf);
