namespace MLNet.Pruning;

public sealed partial class LearningTask
{
    /// <summary>What networks are measured by unless another metric is chosen: accuracy of a classification, R squared of a regression.</summary>
    public Metric Metric => IsClassification ? Metric.Accuracy : Metric.RSquared;
}
