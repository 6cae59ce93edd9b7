using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Rows with scores on them, and what a teacher says of them.</summary>
internal static class ScoredRows
{
    public const int Width = 3;

    /// <summary>The logits of all rows of the data that a step reads.</summary>
    public static float[] Logits(Teacher teacher, TeacherStep step)
    {
        using var scope = torch.NewDisposeScope();
        using var bound = teacher.Bind(step);
        return TensorValues.Of(bound.Run([.. Enumerable.Range(0, step.Data.Rows)], [], null).Logits);
    }

    /// <summary>A step whose student reads Features.</summary>
    public static TeacherStep Step(IDataView view, LearningTask task, int outputs, double validationFraction = 0, bool skipInvalidRows = false)
    {
        var student = Network.Mlp(Width, outputs);
        var options = new NeuralNetworkOptions { Network = student, ValidationFraction = validationFraction, SkipInvalidRows = skipInvalidRows };
        var inputs = NetworkInputs.Of(view.Schema, student, ["Features"]);
        TrainingData Read(IDataView rows, Network network, NetworkInputs columns) => TrainingRows.Read(rows, network, columns, task, options.Rows(1, default));
        return new()
        {
            View = view,
            Data = Read(view, student, inputs),
            Inputs = inputs,
            Label = "Label",
            Task = task,
            Keys = task == LearningTask.Multiclass ? LabelKeys.Of(view.Schema["Label"]) : null,
            Device = torch.CPU,
            BatchSize = 4,
            Read = Read,
        };
    }

    public static IDataView Sides(MLContext ml, params Side[] rows) => ml.Data.LoadFromEnumerable(rows);

    /// <summary>Rows of classes a, b and c, whose keys are in the order of their first appearance.</summary>
    public static IDataView Classes(MLContext ml, params Class[] rows)
    {
        var view = ml.Data.LoadFromEnumerable(rows);
        return ml.Transforms.Conversion.MapValueToKey("Label").Fit(view).Transform(view);
    }

    public sealed class Side
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [1, 2, 3];

        public bool Label { get; set; }

        public float Score { get; set; }

        public float Probability { get; set; }

        [VectorType(2)]
        public float[] Both { get; set; } = [0, 0];
    }

    public sealed class Class
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [1, 2, 3];

        public string Label { get; set; } = "";

        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
