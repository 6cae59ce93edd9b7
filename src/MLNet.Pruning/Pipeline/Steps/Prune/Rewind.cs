namespace MLNet.Pruning;

/// <summary>Which weights the survivors go back to before they are trained again after a pruning step.</summary>
public enum Rewind
{
    /// <summary>They stay as they are.</summary>
    None,

    /// <summary>To the values before training: the lottery ticket hypothesis (Frankle &amp; Carbin 2019).</summary>
    ToInitial,

    /// <summary>
    /// To the values after the trainer's <c>RewindEpoch</c> (Frankle et al. 2020, "Linear Mode Connectivity and the Lottery Ticket Hypothesis").
    /// </summary>
    ToEarly,

    /// <summary>
    /// The weights stay as they are, but the learning rate goes back: each fine-tuning runs through the end of the trainer's schedule once more
    /// (Renda et al. 2020, "Comparing Rewinding and Fine-tuning in Neural Network Pruning").
    /// </summary>
    LearningRate,
}
