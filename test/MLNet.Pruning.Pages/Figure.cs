using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Samples.Quantization;

namespace MLNet.Pruning.Pages;

/// <summary>A column of a table of figures: a heading, and what it says of a model.</summary>
/// <param name="Heading">The heading in the page.</param>
/// <param name="IsTime">Whether it depends on the machine's speed.</param>
/// <param name="Measure">Measures a model of an example; the first one is what others are compared with.</param>
internal sealed record Figure(string Heading, bool IsTime, Func<Example, int, string> Measure)
{
    private static readonly Figure[] s_all =
    [
        new("bytes", false, (example, model) => Count(example.Network(model) is null ? Trees(example, model).Bytes : new FileInfo(example.Onnx(model)).Length)),
        new("parameters", false, (example, model) => Count(NetworkCost.Of(example.Network(model)!).Total.Parameters)),
        new("non-zeros", false, (example, model) => Count(NetworkCost.Of(example.Network(model)!).Total.NonZeros)),
        new("multiply-adds", false, (example, model) => Count(NetworkCost.Of(example.Network(model)!).Total.MultiplyAdds
            ?? throw new InvalidOperationException("Not counted."))),
        new("trees", false, (example, model) => Count(Trees(example, model).Trees)),
        new("nodes", false, (example, model) => Count(Trees(example, model).Nodes)),
        new("accuracy, %", false, (example, model) => Text(
            100 * example.Context.MulticlassClassification.Evaluate(example.Models[model].Transform(example.TestRows)).MicroAccuracy, "f2")),
        new("as fast, one row", true, (example, model) => Ratio(Runtime.Ratio(example.Onnx(0), example.Onnx(model), 1))),
        new("as fast, 64 rows", true, (example, model) => Ratio(Runtime.Ratio(example.Onnx(0), example.Onnx(model), 64))),
        new("as fast", true, (example, model) => Ratio(Scoring.Ratio(example.Context, example.Models[0], example.Models[model], example.TestRows))),
    ];

    /// <summary>The cell of a model under a heading.</summary>
    /// <exception cref="InvalidOperationException">There is no such heading.</exception>
    public static string Of(string heading, Example example, int model, bool times)
    {
        var figure = s_all.SingleOrDefault(figure => figure.Heading == heading) ?? throw new InvalidOperationException(
            $"There is no figure '{heading}': it is one of {string.Join("; ", s_all.Select(figure => figure.Heading))}.");
        // What is compared with itself needs no clock.
        return !figure.IsTime ? figure.Measure(example, model) : model == 0 ? "1x" : times ? figure.Measure(example, model) : "NA";
    }

    private static TreeCost Trees(Example example, int model) => example.Context.Compression().Measure(example.Models[model]).Trees!;

    private static string Count(long count) => Text(count, "n0");

    private static string Ratio(double ratio) => Text(ratio, "f1") + "x";

    private static string Text(IFormattable value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
