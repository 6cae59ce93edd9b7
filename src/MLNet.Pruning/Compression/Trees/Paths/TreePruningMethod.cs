namespace MLNet.Pruning;

/// <summary>
/// In which order an ensemble of trees is taken apart. Of several classes each has an ensemble, which is taken apart by its own class against all others;
/// all of them go equally far.
/// </summary>
public enum TreePruningMethod
{
    /// <summary>
    /// Whole trees, kept in the order in which they lower the loss on the validation rows most when added to those kept so far (ensemble
    /// selection, Caruana et al. 2004); trees of a boosted ensemble each times the multiple that lowers it most, which may be 0.
    /// </summary>
    ForwardSelection,

    /// <summary>Whole trees, removed in the order in which the loss on the validation rows rises least.</summary>
    BackwardElimination,

    /// <summary>
    /// Whole trees of a forest that tells classes apart, kept in the order in which the forest's margins on the validation rows come closest to being all
    /// equally positive (margin distance minimization, Martinez-Munoz and Suarez 2006).
    /// </summary>
    MarginDistance,

    /// <summary>
    /// Whole trees of a forest that tells classes apart, those kept that agree least with each other beyond chance on the validation rows (kappa pruning,
    /// Margineantu and Dietterich 1997).
    /// </summary>
    Kappa,

    /// <summary>
    /// Subtrees, the weakest link first: those whose collapse into a leaf raises the training error least for each leaf saved, the trees
    /// of an ensemble compared with each other (cost-complexity pruning, Breiman et al. 1984).
    /// </summary>
    CostComplexity,

    /// <summary>
    /// Subtrees whose collapse into a leaf does not raise the loss on the validation rows, bottom-up (reduced-error pruning, Quinlan
    /// 1987); for more than that, those whose collapse raises it by at most so much for each leaf saved.
    /// </summary>
    ReducedError,

    /// <summary>Leaves that the fewest training rows reach; their siblings take their place.</summary>
    LeafHits,
}
