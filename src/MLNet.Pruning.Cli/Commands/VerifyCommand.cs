using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune verify: whether two models compute the same on random inputs.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var a = new Argument<FileInfo>("a") { Description = "An ONNX file; with --masked the smaller one." };
        var b = new Argument<FileInfo>("b") { Description = "The one to compare with; with --masked the original." };
        var masked = new Option<bool>("--masked") { Description = "Compares with the second model after zeroing in it what the first one lost." };
        var inputs = new Option<int>("--inputs") { Description = "Random rows.", DefaultValueFactory = _ => 16 }.AtLeast(1);
        var tolerance = new Option<double?>("--tolerance") { Description = "Largest difference, relative to the largest output. Default: 1e-4, and 5e-3, 4e-2 "
            + "or 2e-2 where a model computes in float16, in bfloat16 or in integers." }
            .Require(value => value is null or >= 0, "a number of at least 0");
        var openSize = RandomInputOptions.OpenSize();
        var sizes = RandomInputOptions.Sizes("Sizes of open dimensions in the random rows, in place of --open-size");
        var command = new Command("verify", "Compares the outputs of two models on random inputs in ONNX Runtime.") { a, b, masked, inputs, tolerance, openSize,
            sizes };
        command.SetAnswer(arguments =>
        {
            var (small, other) = (arguments.GetRequiredValue(a), arguments.GetRequiredValue(b));
            var comparison = new ModelComparison(arguments.GetValue(inputs), new(arguments.GetValue(openSize), arguments.GetRequiredValue(sizes)),
                arguments.GetValue(Tool.Seed));
            return Progress.Run(arguments, "comparing", progress => arguments.GetValue(masked)
                ? Masked(small, other, comparison, arguments.GetValue(tolerance), progress)
                : Plain(Model.Read(small), Model.Read(other), comparison, arguments.GetValue(tolerance), progress));
        });
        return command;
    }

    private static Verification Plain(Model a, Model b, ModelComparison comparison, double? tolerance, Progress progress)
        => Verification.Of(a, b.File, comparison.Compare(a, b, progress.Say), tolerance ?? Rounding.Tolerance(a.Network), null);

    private static Verification Masked(FileInfo small, FileInfo original, ModelComparison comparison, double? tolerance, Progress progress)
    {
        var smaller = Model.Read(small);
        var masked = Mask(smaller, Model.Read(original));
        var folder = Directory.CreateTempSubdirectory("mlnet-prune");
        try
        {
            var file = new FileInfo(Path.Combine(folder.FullName, "masked.onnx"));
            masked.Network.SaveOnnx(file.FullName);
            var differences = comparison.Compare(smaller, new(file, masked.Network), progress.Say);
            return Verification.Of(smaller, original, differences, tolerance ?? Rounding.Tolerance(smaller.Network), [.. masked.Changed]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static MaskedOriginal Mask(Model small, Model original)
    {
        try
        {
            return MaskedOriginal.Of(small.Network, original.Network);
        }
        catch (Exception e) when (e is ArgumentException or OnnxFormatException)
        {
            throw new ArgumentException($"{small.File} against {original.File}: {Tool.Reason(e)}", e);
        }
    }
}
