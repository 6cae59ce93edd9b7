using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What distil did.</summary>
/// <param name="Teacher">The model that taught.</param>
/// <param name="Output">The student that it wrote.</param>
/// <param name="By">What was learned from the teacher.</param>
/// <param name="Epochs">The epochs of the training.</param>
/// <param name="Validation">The metric of the teacher, before, and the student, after, on rows held back.</param>
internal sealed record Distilled(FileSummary Teacher, FileSummary Output, string By, LearningEpoch[] Epochs, ValidationSummary? Validation) : Answer
{
    public static Distilled Of(FileSummary teacher, FileSummary student, Distillation distillation, TrainingReport report)
        => new(teacher, student, distillation.ToString(), [.. report.Epochs
            .Select(epoch => new LearningEpoch(epoch.Epoch, epoch.Loss, epoch.Validation?.Metric))],
            report is { Teacher: { } before, Validation: { } after } ? new(after.Name, before.Metric, after.Metric) : null);

    public override void Print(IAnsiConsole console)
    {
        var totals = Cells.Columns("", "teacher", "student", "ratio");
        void Add(string what, long before, long after)
            => totals.Row(what, Cells.Number(before), Cells.Number(after), Cells.Number((double)before / after, "0.0x"));
        Add("parameters", Teacher.Parameters, Output.Parameters);
        if (Teacher.MultiplyAdds is { } before && Output.MultiplyAdds is { } after)
        {
            Add("multiply-adds", before, after);
        }

        Add("bytes", Teacher.Bytes, Output.Bytes);
        if (Validation is { } validation)
        {
            totals.Row($"validation {validation.Metric}", Cells.Number(validation.Before, "0.0000"), Cells.Number(validation.After, "0.0000"), "");
        }

        console.Write(totals);
        console.Line($"written: {Output.File}");
    }
}

/// <summary>An epoch of a student's training.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss.</param>
/// <param name="Validation">The metric on rows held back.</param>
internal sealed record LearningEpoch(int Epoch, double Loss, double? Validation);
