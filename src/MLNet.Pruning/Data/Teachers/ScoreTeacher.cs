namespace MLNet.Pruning.Data.Teachers;

/// <summary>
/// A teacher known by its scores: columns of the rows as the step gets them, or of what a model makes of them. Where the Score column
/// carries a network of the same task and classes, that teaches, with all that is within it.
/// </summary>
/// <param name="model">What the rows go through first; null for nothing.</param>
/// <param name="score">The column of scores.</param>
/// <param name="probability">The column of probabilities; null for that which belongs to the scores, where there is one.</param>
internal sealed class ScoreTeacher(ITransformer? model, string score, string? probability) : Teacher
{
    internal override Network? NetworkFor(DataViewSchema schema) => score == ScoreColumns.Score && probability is null
        ? NetworkAnnotation.Find(model?.GetOutputSchema(schema) ?? schema)?.Network : null;

    internal override TeacherSession Bind(TeacherStep step)
    {
        foreach (var name in (string?[])[score, probability])
        {
            if (name is not null && (name == step.Label || step.Inputs.Columns.Any(column => column.Name == name)))
            {
                throw new ArgumentException($"The teacher's column '{name}' is the student's own {(name == step.Label ? "label" : "feature column")}.");
            }
        }

        var view = model?.Transform(step.View) ?? step.View;
        if (score == ScoreColumns.Score && probability is null && NetworkAnnotation.Find(view.Schema) is { } state
            && state.Task == step.Task && ClassOrder.IsSame(state.Keys, step.Keys))
        {
            return new NetworkTeacher(state.Network, state.Inputs, model is null or IScoringStep ? null : view).Bind(step);
        }

        return new Bound(new(view, Find(view.Schema, score), Probability(view.Schema, step.Task), step), step.Device);
    }

    /// <inheritdoc/>
    public override string ToString() => (model is null ? "columns " : $"{model.GetType().Name}, columns ") + score
        + (probability is null ? "" : $" and {probability}");

    private DataViewSchema.Column Find(DataViewSchema schema, string name) => schema.GetColumnOrNull(name) is { } column ? column
        : model is null && name == ScoreColumns.Score ? throw new InvalidOperationException(
            "Distillation needs a teacher, but there is no 'Score' column before this step: put a scored model before it, such as "
                + "ml.BinaryClassification.Trainers.FastTree(...), or name a teacher.")
        : throw new ArgumentException($"The teacher gives no column '{name}'; the rows have: "
            + $"{string.Join(", ", schema.Where(column => !column.IsHidden).Select(column => column.Name))}.");

    private DataViewSchema.Column? Probability(DataViewSchema schema, LearningTask task)
    {
        if (probability is not null)
        {
            return task == LearningTask.Binary ? Find(schema, probability)
                : throw new ArgumentException($"A teacher's column of probabilities is for binary tasks, but this is a {task} task: leave '{probability}' "
                    + "out.");
        }

        return task == LearningTask.Binary && score == ScoreColumns.Score && schema.GetColumnOrNull(ScoreColumns.Probability) is { } column
            && ScoreColumns.Set(column) == ScoreColumns.Set(schema[score]) ? column : null;
    }

    private sealed class Bound(TeacherScores scores, TorchSharp.torch.Device device) : TeacherSession
    {
        public override int Outputs => scores.Outputs;

        public override bool IsKept => true;

        public override TeacherBatch Run(ReadOnlySpan<int> rows, IReadOnlyCollection<string> reads, TorchSharp.torch.Tensor? changed)
        {
            if (reads.Count > 0)
            {
                throw new NotSupportedException($"The teacher is known by its scores and has no tensors '{string.Join("', '", reads)}'.");
            }

            if (changed is not null)
            {
                throw new NotSupportedException("The teacher is known by its scores of the rows as they were, so it cannot see the rows as augmentation "
                    + "changes them.");
            }

            var values = GC.AllocateUninitializedArray<float>(rows.Length * Outputs, pinned: true);
            for (var i = 0; i < rows.Length; i++)
            {
                scores.Read(rows[i], values.AsSpan(i * Outputs, Outputs));
            }

            var tensor = TorchSharp.torch.frombuffer(values, TorchSharp.torch.ScalarType.Float32).view(rows.Length, Outputs).to(device);
            return new(tensor, new Dictionary<string, TorchSharp.torch.Tensor>());
        }

        public override void Dispose() => scores.Dispose();
    }
}
