using System.Collections.Frozen;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse;

internal sealed partial class SparseCompiler
{
    /// <summary>
    /// How far apart rows of images lie at cache lines, by their width: for those whose convolutions take less there together, though more positions between
    /// rows are computed. All images of a width have one, so that convolutions read them where they are.
    /// </summary>
    private static FrozenDictionary<int, int> Pitches(Network network, List<SparseOperation> operations)
    {
        var work = new Dictionary<int, List<(int Width, ConvolutionWork Work)>>();
        foreach (var operation in operations.Where(operation => ConvolutionWork.IsAligned && operation.Kind == SparseKind.Convolution))
        {
            var weight = network[operation.Node.Inputs[1]];
            var window = ConvolutionWindow.Of(operation.Node, [.. weight.Shape.Skip(2)])!;
            var isStep = window is { RowStep: 1, ColumnStep: 1 };
            // One that moves by more than a position reads an image that is taken apart, as wide as its result.
            var width = network.Find(isStep ? operation.Input : operation.Output)!.Shape[3];
            CollectionsMarshal.GetValueRefOrAddDefault(work, width, out _) ??= [];
            work[width].Add((width + (isStep ? window.Margin : window.Reach), ConvolutionWork.Of(weight.Array, weight.Shape[0], window)));
        }

        return work.Select(pair => (Width: pair.Key, Pitch: ConvolutionShape.BlockPitch(pair.Value.Max(each => each.Width)), Work: pair.Value))
            .Where(each => each.Pitch > 0 && each.Work.Sum(one => each.Pitch * one.Work.Aligned) < each.Work.Sum(one => one.Width * one.Work.Loose))
            .ToFrozenDictionary(each => each.Width, each => each.Pitch);
    }

    /// <summary>How far apart rows of a width lie, at least as far as they need.</summary>
    private int Pitch(int width, int least) => Math.Max(least, _pitches.GetValueOrDefault(width));
}
