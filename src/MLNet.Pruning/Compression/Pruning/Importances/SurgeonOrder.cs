namespace MLNet.Pruning;

/// <summary>In which order <see cref="Importance.OptimalBrainSurgeon"/> takes a layer's weights away.</summary>
public enum SurgeonOrder
{
    /// <summary>All at once: each is judged as if it alone went (Hassibi et al. 1993; Dong et al. 2017). The quickest.</summary>
    AtOnce,

    /// <summary>
    /// One after another, unit by unit, each time the one without which the error rises least when the others make up for it: exact optimal brain surgeon
    /// (Frantar, Singh &amp; Alistarh 2022, "Optimal Brain Compression"). Blocks, kernels, columns and groups as wholes; an N:M pattern within its groups.
    /// Costs inputs^3 / 6 multiply-adds a unit, of groups once for all units; beyond 1,024 inputs, parts of so many are taken by themselves, of groups beyond
    /// 4,096.
    /// </summary>
    Greedy,

    /// <summary>
    /// From the first input to the last, 128 at a time, those after them changed before it is their turn (Frantar &amp; Alistarh 2023, "SparseGPT"). Of
    /// each 128 the same share goes. For single weights and N:M patterns; other structures as <see cref="AtOnce"/>.
    /// </summary>
    Columns,

    /// <summary>
    /// As <see cref="Columns"/>, but of all inputs that are left as many as have yet to go are marked, by their size times the norm of what they multiply, and
    /// the marks within 128 inputs carried out together (Ilin &amp; Richtarik 2025, "Thanos").
    /// </summary>
    Blocks,
}
