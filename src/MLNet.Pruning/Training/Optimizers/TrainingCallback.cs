using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Training.Optimizers;

/// <summary>Takes part in every step of a training, between gradient and update as well as around the forward pass.</summary>
internal abstract class TrainingCallback : IDisposable
{
    /// <summary>Whether what it makes of the network is final, so that early stopping may choose among the epochs from here on.</summary>
    public virtual bool IsSettled => true;

    /// <summary>Called once before the first step.</summary>
    /// <param name="weights">The weights that are trained.</param>
    /// <param name="steps">Steps planned.</param>
    /// <param name="seed">Seed of the training.</param>
    public virtual void Begin(TrainedWeights weights, long steps, int seed)
    {
    }

    /// <summary>Called before the forward pass of a step; may put other values in the place of weights.</summary>
    public virtual void BeforeForward()
    {
    }

    /// <summary>Called with the gradients of a step; puts back the weights that <see cref="BeforeForward"/> changed.</summary>
    public virtual void AfterBackward()
    {
    }

    /// <summary>Called before the network is measured: puts in place what it is to be used with.</summary>
    public virtual void BeforeMeasuring()
    {
    }

    /// <summary>Called after that: puts back the weights that <see cref="BeforeMeasuring"/> changed.</summary>
    public virtual void AfterMeasuring()
    {
    }

    /// <summary>Called when the weights are updated.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="rate">Learning rate of the step.</param>
    public virtual void AfterStep(long step, double rate)
    {
    }

    public virtual void Dispose()
    {
    }
}
