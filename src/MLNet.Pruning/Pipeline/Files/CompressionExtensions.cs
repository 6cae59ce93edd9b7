using MLNet.Pruning;

namespace Microsoft.ML;

/// <summary>The catalog of compression in <see cref="MLContext"/>.</summary>
public static class CompressionExtensions
{
    /// <summary>Measuring networks, and keeping them in files.</summary>
    /// <param name="context">The context.</param>
    /// <example>
    /// <code>
    /// Console.WriteLine(ml.Compression().Measure(model));
    /// </code>
    /// </example>
    public static CompressionCatalog Compression(this MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }
}
