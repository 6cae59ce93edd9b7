namespace MLNet.Pruning;

/// <summary>Which matrix stands for the second derivatives of the loss in a quadratic model of it.</summary>
public enum Curvature
{
    /// <summary>
    /// J' H J with the Jacobian J of the logits and the Hessian H of the loss at them (Schraudolph 2002): for cross-entropy the Fisher information itself,
    /// whatever the labels.
    /// </summary>
    GaussNewton,

    /// <summary>
    /// The mean of g g' over the gradients g of single rows' losses, as WoodFisher and CHITA have it. Nearly zero where the network is right of every row.
    /// </summary>
    EmpiricalFisher,
}
