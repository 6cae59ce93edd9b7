namespace MLNet.Pruning;

/// <summary>What training minimises, as a mean over the rows of a batch.</summary>
public enum Loss
{
    /// <summary>The task's own: cross-entropy for multiclass and binary cross-entropy for binary classification, mean squared error for regression.</summary>
    Default,

    /// <summary>Negative logarithm of the softmax of the true class. Multiclass only.</summary>
    CrossEntropy,

    /// <summary>Negative logarithm of the sigmoid of the true class. Binary classification only.</summary>
    BinaryCrossEntropy,

    /// <summary>Mean of squared differences. Regression only.</summary>
    MeanSquaredError,

    /// <summary>Mean of absolute differences. Regression only.</summary>
    MeanAbsoluteError,
}
