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
        var convolutions = from operation in operations
                           where ConvolutionWork.IsAligned && operation.Kind == SparseKind.Convolution
                           let weight = network[operation.Node.Inputs[1]]
                           let window = ConvolutionWindow.Of(operation.Node, [.. weight.Shape.Skip(2)])!
                           let isStep = window is { RowStep: 1, ColumnStep: 1 }
                           // One that moves by more than a position reads an image that is taken apart, as wide as its result.
                           let width = network.Find(isStep ? operation.Input : operation.Output)!.Shape[3]
                           select (Width: width, Needed: width + (isStep ? window.Margin : window.Reach),
                               Work: ConvolutionWork.Of(weight.Array, weight.Shape[0], window));
        return convolutions.GroupBy(each => each.Width)
            .Select(group => (group.Key, Pitch: ConvolutionShape.BlockPitch(group.Max(each => each.Needed)), Works: group.ToList()))
            .Where(each => each.Pitch > 0 && each.Works.Sum(one => each.Pitch * one.Work.Aligned) < each.Works.Sum(one => one.Needed * one.Work.InPlace))
            .ToFrozenDictionary(each => each.Key, each => each.Pitch);
    }

    /// <summary>How far apart rows of a width lie, at least as far as they need.</summary>
    private int Pitch(int width, int least) => Math.Max(least, _pitches.GetValueOrDefault(width));
}
