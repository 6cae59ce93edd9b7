using Microsoft.ML;

namespace MLNet.Pruning.Pages;

/// <summary>What the example that ran last handed over; public, since examples are assemblies of their own.</summary>
public static class Results
{
    internal static MLContext? Context { get; private set; }

    internal static IDataView? TestRows { get; private set; }

    internal static ITransformer[]? Models { get; private set; }

    /// <summary>Takes an example's results.</summary>
    /// <param name="ml">Its context.</param>
    /// <param name="testRows">Rows that none of the models has seen.</param>
    /// <param name="models">The models that its page has figures of.</param>
    public static void Take(MLContext ml, IDataView testRows, params ITransformer[] models) => (Context, TestRows, Models) = (ml, testRows, models);
}
