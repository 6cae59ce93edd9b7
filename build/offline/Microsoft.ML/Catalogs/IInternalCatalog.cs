using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Where extension packages look for the environment of a catalog, by reflection.</summary>
internal interface IInternalCatalog
{
    IHostEnvironment Environment { get; }
}

internal static class CatalogUtils
{
    public static IHostEnvironment GetEnvironment(this IInternalCatalog catalog) =>
        (catalog ?? throw new ArgumentNullException(nameof(catalog))).Environment;
}
