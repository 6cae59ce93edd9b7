using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>A distillation in a model file; its teacher is a network beside it.</summary>
internal sealed record ArchivedDistillation(List<ArchivedDistillation.Term> Terms, ArchivedDistillation.Schedule Temperature, ArchivedDistillation.Schedule Weight, long MemoryLimit)
{
    /// <summary>What a file keeps of a distillation: null for one whose teacher is no network, for later steps cannot ask that again.</summary>
    public static ArchivedDistillation? Of(Distillation? distillation) => distillation is null || distillation.Teacher is { Network: null } ? null : new(
        [.. distillation.Terms.Select(term => term.Description).Select(term => new Term(term.Kind, [.. term.Numbers], [.. term.Names]))],
        Schedule.Of(distillation.TemperatureSchedule), Schedule.Of(distillation.WeightSchedule), distillation.MemoryLimit);

    public Distillation ToDistillation(Network? teacher)
    {
        var distillation = Distillation.Of(Terms.Select(term => new TermDescription(term.Kind, term.Numbers, term.Names)))
            .Scheduled(Temperature.ToSchedule(), Weight.ToSchedule()).WithMemoryLimit(MemoryLimit);
        return teacher is null ? distillation : distillation.From(teacher);
    }

    internal sealed record Term(string Kind, List<double> Numbers, List<string> Names);

    internal sealed record Schedule(string Kind, List<double> Arguments, double WarmupEpochs)
    {
        public static Schedule Of(LearningRateSchedule schedule) => new(schedule.Kind, [.. schedule.Arguments], schedule.WarmupEpochs);

        public LearningRateSchedule ToSchedule() => LearningRateSchedule.Of(Kind, Arguments, WarmupEpochs);
    }
}
