using MLNet.Pruning.Compression.Trees;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Paths;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>Takes an ensemble apart by a method, as far as a budget says.</summary>
internal sealed class TreePruner
{
    /// <summary>Sizes tried, from the smallest on, for one that keeps the metric.</summary>
    private const int SizesTried = 24;

    /// <summary>Where a size is given, all sizes up to so many steps from the smallest one are tried, and those above in ratios.</summary>
    private const int AllSizesUpTo = 64;
    private const int SizesPerRatio = 8;

    private readonly TreeModel _model;
    private readonly TreeRows _training;
    private readonly TreeRows _validation;
    private readonly TreeRows[] _validationByClass;
    private readonly TreePruningOptions _options;
    private readonly TreeLoss[] _losses;
    private readonly Metric _metric;
    private readonly ITreePath[] _paths;
    private readonly int _steps;

    private TreePruner(TreeModel model, TreeRows training, TreeRows validation, TreePruningOptions options)
    {
        (_model, _training, _validation, _options) = (model, training, validation, options);
        (_losses, _metric) = ([.. model.Ensembles.Select(ensemble => new TreeLoss(ensemble))], MetricOf(options.Metric, model.Task));
        var trainingByClass = ByClass(training);
        _validationByClass = ByClass(validation);
        _paths = new ITreePath[model.Outputs];
        PartLoop.Run(_paths.Length, i => _paths[i] = Path(model.Ensembles[i], trainingByClass[i], _validationByClass[i], _losses[i], options.Method),
            options.CancellationToken);
        _steps = _paths.Max(path => path.Steps);
    }

    /// <exception cref="TreePruningException">One tree only, nothing left to prune, or a budget out of reach.</exception>
    public static (TreeModel Pruned, TreePruningReport Report) Run(TreeModel model, TreeRows training, TreeRows validation, TreePruningOptions options)
    {
        var before = model.Cost;
        if (before.Trees == 0)
        {
            throw new TreePruningException("There is nothing left to prune: the ensemble has no tree with a split.");
        }

        if (before.Trees == 1 && options.Method is not (TreePruningMethod.CostComplexity or TreePruningMethod.ReducedError or TreePruningMethod.LeafHits))
        {
            throw new TreePruningException($"{options.Method} removes whole trees, but the ensemble has one tree only ({before}): "
                + $"use {nameof(TreePruningMethod.CostComplexity)}, {nameof(TreePruningMethod.ReducedError)} or {nameof(TreePruningMethod.LeafHits)}.");
        }

        if (options.Budget.MaximumMetricLoss is null && Allows(options.Budget, before, model.DenseNodes ?? before.Nodes))
        {
            throw new TreePruningException("There is nothing left to prune: the ensemble has "
                + $"{before}{(model.DenseNodes is { } dense ? $" of {dense} nodes before its first pruning" : "")}, and {options.Budget} allows that.");
        }

        model = model with
        {
            Ensembles = [.. model.Ensembles.Select(ensemble => ensemble with { DenseNodes = ensemble.DenseNodes ?? ensemble.Cost.Nodes })],
        };
        var pruner = new TreePruner(model, training, validation, options);
        var measured = pruner.Measure(model);
        if (double.IsNaN(measured))
        {
            throw new MetricException(pruner._metric.Name, "the choice of trees");
        }

        var pruned = options.Budget.MaximumMetricLoss is { } loss ? pruner.ToLoss(measured, loss) : pruner.ToSize();
        return (pruned.WithUsedColumns(),
            new(options.Method, before, pruned.Cost, pruner._metric.Name, measured, pruner.Measure(pruned), training.Count, validation.Count));
    }

    /// <summary>The metric that was chosen, or else that of trees: the area under the ROC curve of a binary classification.</summary>
    /// <exception cref="ArgumentException">The metric does not fit what the trees tell.</exception>
    public static Metric MetricOf(Metric? chosen, LearningTask task)
    {
        var metric = Metric.Resolve(chosen ?? (task == LearningTask.Binary ? Metric.AreaUnderRocCurve : null), task);
        metric.CheckOfPredictions("trees can be measured by", takesChanges: false);
        return metric;
    }

    private bool Allows(TreeCost cost) => Allows(_options.Budget, cost, _model.DenseNodes ?? _model.Cost.Nodes);

    /// <summary>Whether a size lies within a budget.</summary>
    /// <param name="budget">The budget.</param>
    /// <param name="cost">The size.</param>
    /// <param name="dense">Nodes before the first pruning.</param>
    private static bool Allows(Budget budget, TreeCost cost, int dense) => budget.Limits.All(limit => limit.Measure switch
    {
        CostMeasure.Trees => cost.Trees,
        CostMeasure.Nodes => cost.Nodes,
        _ => cost.Bytes,
    } <= limit.MostOf(() => dense));

    private TreeModel ToSize()
    {
        var last = LastStep();
        var (low, high) = (0, last);
        var smallest = At(high).Cost;
        if (!Allows(smallest))
        {
            throw new TreePruningException($"{_options.Budget} cannot be reached: {_options.Method} brings the ensemble of {_model.Cost} down to "
                + $"{smallest} at least.");
        }

        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (Allows(At(middle).Cost))
            {
                high = middle;
            }
            else
            {
                low = middle;
            }
        }

        return Sizes(last).TakeWhile(step => step >= high).Select(Refit).MaxBy(Compare)!;
    }

    /// <summary>
    /// Steps compared with each other, from the smallest ensemble on: all of the last ones, then fewer and fewer. They are the same whatever
    /// the budget, so that a larger one never does worse.
    /// </summary>
    private static IEnumerable<int> Sizes(int last)
    {
        for (var distance = 0; distance < last; distance += distance < AllSizesUpTo ? 1 : distance / SizesPerRatio)
        {
            yield return last - distance;
        }
    }

    private TreeModel ToLoss(double before, double most)
    {
        var last = LastStep();
        var (failed, best) = (last + 1, double.NaN);
        foreach (var step in Enumerable.Range(0, SizesTried).Select(i => last - (int)((long)i * (last - 1) / (SizesTried - 1))).Distinct())
        {
            var candidate = Refit(step);
            var metric = Measure(candidate);
            best = _metric.Loss(best, metric) >= 0 ? best : metric;
            if (_metric.Loss(before, metric) <= most)
            {
                var found = Shrink(step, failed, candidate, before, most);
                return Allows(found.Cost) ? found : throw new TreePruningException($"{_options.Budget} cannot be reached: the smallest ensemble found within "
                    + $"the loss of metric has {found.Cost}.");
            }

            failed = step;
        }

        throw new TreePruningException($"{_options.Budget} cannot be reached: the ensemble's {_metric} on the validation rows is "
            + $"{Metric.Text(before, _metric.Unit)}, and the best of the pruned ones tried has {Metric.Text(best, _metric.Unit)}.");
    }

    /// <summary>Looks between a step that keeps the metric and a further one that does not for one further on that does.</summary>
    private TreeModel Shrink(int step, int failed, TreeModel found, double before, double most)
    {
        while (failed - step > 1)
        {
            var middle = (step + failed) / 2;
            var candidate = Refit(middle);
            if (_metric.Loss(before, Measure(candidate)) <= most)
            {
                (step, found) = (middle, candidate);
            }
            else
            {
                failed = middle;
            }
        }

        return found;
    }

    /// <summary>The last step that leaves a tree.</summary>
    private int LastStep()
    {
        var (low, high) = (0, _steps + 1);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (At(middle).Cost.Trees > 0)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return low > 0 ? low : throw new TreePruningException($"There is nothing left to prune: {_options.Method} leaves the ensemble of {_model.Cost} "
            + "whole, or nothing of it.");
    }

    /// <summary>The trees at a step, those of all classes as far along their own paths.</summary>
    private TreeModel At(int step) => _model
        with { Ensembles = [.. _paths.Select(path => path.At(_steps == 0 ? 0 : (int)Math.Round((double)step * path.Steps / _steps)))] };

    private TreeModel Refit(int step)
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        var model = At(step);
        if (!_options.RefitLeaves)
        {
            return model with
            {
                Ensembles = [.. model.Ensembles.Select(ensemble => ensemble
                    with { Trees = [.. ensemble.Trees.Where(tree => tree.LeafValues.Any(value => value != 0))] })],
            };
        }

        // One class after the other, against what the others' scores are by then.
        var refitted = model.Ensembles.ToArray();
        double[][]? scores = _model.Classes == ClassScores.Softmax ? [.. refitted.Select(_training.Score)] : null;
        for (var i = 0; i < refitted.Length; i++)
        {
            var rows = _model.Classes is null ? _training : _training.OfClass(i, scores);
            refitted[i] = LeafRefit.Fit(refitted[i], rows, _losses[i], _options.RefitRegularization);
            if (scores is not null)
            {
                scores[i] = _training.Score(refitted[i]);
            }
        }

        return model with { Ensembles = [.. refitted] };
    }

    private TreeRows[] ByClass(TreeRows rows)
    {
        double[][]? scores = _model.Classes == ClassScores.Softmax ? [.. _model.Ensembles.Select(rows.Score)] : null;
        return _model.Classes is null ? [rows] : [.. _model.Ensembles.Select((_, i) => rows.OfClass(i, scores))];
    }

    private static ITreePath Path(DecisionTreeEnsemble ensemble, TreeRows training, TreeRows validation, TreeLoss loss, TreePruningMethod method)
        => method switch
        {
            TreePruningMethod.ForwardSelection => TreeSelection.Forward(ensemble, validation, loss),
            TreePruningMethod.BackwardElimination => TreeSelection.Backward(ensemble, validation, loss),
            TreePruningMethod.MarginDistance => ForestOrders.MarginDistance(ensemble, validation),
            TreePruningMethod.Kappa => ForestOrders.Kappa(ensemble, validation),
            TreePruningMethod.CostComplexity => new CostComplexity(ensemble, training, loss),
            TreePruningMethod.ReducedError => new ReducedError(ensemble, training, validation, loss),
            _ => new LeafHits(ensemble, training),
        };

    private double Measure(TreeModel model) => _metric.Measure(_validation.Predict(model, areWeighted: false));

    /// <summary>What is better compares higher: the metric, rows counted as they weigh, or the loss where metrics are the same.</summary>
    private (double Metric, double Gain) Compare(TreeModel model)
    {
        var metric = _metric.Measure(_validation.Predict(model, areWeighted: true));
        var loss = model.Ensembles.Select((ensemble, i) => _losses[i].Total(_validationByClass[i].Score(ensemble), _validationByClass[i])).Sum();
        return (_metric.Direction == MetricDirection.HigherIsBetter ? metric : -metric, -loss);
    }
}
