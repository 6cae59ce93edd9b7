namespace MLNet.Pruning;

/// <summary>What a network's outputs mean.</summary>
public enum LearningTask
{
    /// <summary>One of several classes: as many outputs as classes, softmax over them.</summary>
    Multiclass,

    /// <summary>One of two sides: one output, the logit of the positive side.</summary>
    Binary,

    /// <summary>A number: one output.</summary>
    Regression,
}
