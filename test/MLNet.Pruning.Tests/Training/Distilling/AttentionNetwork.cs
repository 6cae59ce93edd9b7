using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>One block of attention over 5 positions of 4 values, then the mean over positions and a dense layer of three outputs.</summary>
internal static class AttentionNetwork
{
    public static Network Create(int units, int heads, int length = 5, bool folded = false)
    {
        var size = units / heads;
        var symbols = new Symbols();
        var draw = Initializer.KaimingUniform(4);
        var nodes = new List<Node>();
        foreach (var name in new[] { "q", "k", "v" })
        {
            nodes.Add(new(name + "s", "MatMul", ["input", name], [name + "s"]));
            nodes.Add(new(name + "split", "Reshape", [name + "s"], [name + "split"], Sizes(TensorInfo.Batch, length, heads, size)));
            nodes.Add(new(name + "heads", "Transpose", [name + "split"], [name + "heads"],
                [new("perm", name == "k" ? new long[] { 0, 2, 3, 1 } : [0, 2, 1, 3])]));
        }

        nodes.Add(new("scores", "MatMul", ["qheads", "kheads"], ["scores"]));
        if (folded)
        {
            // As PyTorch's exports have it: the heads go into the rows before the softmax, and come back after it.
            nodes.Add(new("fold", "Reshape", ["scores"], ["fold"], Sizes(symbols.Product(TensorInfo.Batch, heads), length, length)));
            nodes.Add(new("attention", "Softmax", ["fold"], ["attention"], [new("axis", -1L)]));
            nodes.Add(new("unfold", "Reshape", ["attention"], ["matrices"], Sizes(TensorInfo.Batch, heads, length, length)));
        }
        else
        {
            nodes.Add(new("attention", "Softmax", ["scores"], ["matrices"], [new("axis", -1L)]));
        }

        nodes.Add(new("values", "MatMul", ["matrices", "vheads"], ["values"]));
        nodes.Add(new("back", "Transpose", ["values"], ["back"], [new("perm", new long[] { 0, 2, 1, 3 })]));
        nodes.Add(new("mixed", "Reshape", ["back"], ["mixed"], Sizes(TensorInfo.Batch, length, units)));
        nodes.Add(new("mean", "ReduceMean", ["mixed"], ["mean"], [new("axes", new long[] { 1 }), new("keepdims", 0L)]));
        nodes.Add(new("fc", "Gemm", ["mean", "fc.weight", "fc.bias"], ["logits"], [new("transB", 1L)]));
        return new(new NetworkParts
        {
            Inputs = [new("input", [TensorInfo.Batch, length, 4])],
            Outputs = ["logits"],
            Nodes = [.. nodes],
            Symbols = symbols,
            Parameters =
            [
                new("q", [4, units], null, true, draw), new("k", [4, units], null, true, draw), new("v", [4, units], null, true, draw),
                new("fc.weight", [3, units], null, true, draw), new("fc.bias", [3], null, true, draw),
            ],
        });

        static KeyValuePair<string, object>[] Sizes(params long[] sizes) => [new("shape", sizes)];
    }
}
