using MLNet.Pruning.Compression.Automation.Search;

namespace MLNet.Pruning;

/// <summary>
/// How <c>ml.Transforms.AutoPrune</c> looks for the sparsity of each layer. All strategies choose among the sparsities of
/// <see cref="AutoPruneOptions.Sparsities"/>, measure candidates on the validation rows, and keep the best they met; none promises that there
/// is no better one.
/// </summary>
public abstract class SearchStrategy
{
    private protected SearchStrategy()
    {
    }

    /// <summary>
    /// Measures each layer alone at each sparsity, as <c>ml.Compression().Sensitivity</c> does; takes the steps that raise the loss least for what
    /// they save, as if losses added up; then looks from the network this leads to for better ones in which one layer or two differ by a step.
    /// Candidates: layers x sparsities, and a few for each step of the second part.
    /// </summary>
    public static SearchStrategy SensitivityGuided { get; } = new SensitivityGuidedSearch();

    /// <summary>
    /// Measures each layer alone at each sparsity, and finds by dynamic programming the sparsities that raise the loss least for the costs, as if losses added
    /// up; then does so with errors that grow with the square of what goes of a layer, times a coefficient, and looks for the coefficients whose network does
    /// best: drawn at random first, then near the best (Frantar &amp; Alistarh 2022, "SPDY: Accurate Pruning with Speedup Guarantees"). What differs from the
    /// paper: coefficients start at measured losses, and costs of removed structures, which are products of widths, are counted anew around the network found,
    /// so that the limit holds for it. Multiply-adds of weights that are set to zero are those of the weights that are left; milliseconds come from a table of
    /// layers that were timed.
    /// Candidates: layers x sparsities, and those with coefficients, of which some lead to the same network.
    /// </summary>
    /// <param name="candidates">Coefficients that are tried; at least 1. Default 100.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="candidates"/> is below 1.</exception>
    /// <example>
    /// Half of the multiply-adds of a network of a million, in weights, without any training:
    /// <code>
    /// var half = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.AutoPrune(new AutoPruneOptions
    /// {
    ///     Budget = Budget.MultiplyAdds(500_000),
    ///     Granularity = Granularity.Weight,
    ///     Importance = Importance.OptimalBrainSurgeon(),
    ///     Strategy = SearchStrategy.DynamicProgramming(),
    ///     FineTuneEpochs = 0,
    /// })).Fit(data);
    /// </code>
    /// </example>
    public static SearchStrategy DynamicProgramming(int candidates = 100) => new DynamicProgrammingSearch(candidates);

    /// <summary>
    /// Evolves a population: the better half has children by uniform crossover and steps of single layers, and children that cost too much are
    /// pruned further in random layers until they do not (as in Cai et al. 2020, "Once-for-All", with exact candidates in place of its predictor).
    /// </summary>
    /// <param name="population">Candidates that live together; at least 2. Default 16.</param>
    /// <param name="generations">Generations; at least 1. Default 20. At most their product of candidates is measured.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SearchStrategy Evolutionary(int population = 16, int generations = 20) => new EvolutionarySearch(population, generations);

    /// <summary>
    /// Fits a policy that walks through the layers and says what each loses, in the manner of AMC (He et al. 2018, "AMC: AutoML for Model
    /// Compression and Acceleration on Mobile Devices"): its state is the layer's place, its share of the costs, what is saved so far and what is
    /// still to come, and the last action; actions that would leave the limits on costs out of reach are raised to those that do not. What differs from the
    /// paper: the policy is a linear function and a sigmoid, seven weights in all, fitted by the cross-entropy method (Rubinstein 1999) instead of
    /// an actor and a critic of hundreds of units fitted by DDPG; as there, noise that dies away is added to actions. It says one sparsity after another by
    /// few numbers, so it suits networks of many alike layers; with few layers the other strategies look more closely.
    /// </summary>
    /// <param name="population">Policies in an iteration; at least 4. Default 16.</param>
    /// <param name="iterations">Iterations; at least 1. Default 20. At most their product of candidates is measured.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SearchStrategy LearnedPolicy(int population = 16, int iterations = 20) => new PolicySearch(population, iterations);

    /// <summary>Candidates in turn. When the next is requested, the log holds what the last measured; those that it holds already cost nothing.</summary>
    internal abstract IEnumerable<int[]> Propose(SearchLog log);
}
