using Google.Protobuf.Collections;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Whether a node has what its operator asks for: inputs, outputs and attributes of the right type.</summary>
internal static class OnnxNodeCheck
{
    /// <param name="node">A node; those of other domains than the standard's, and of operators it does not have, are carried as they are.</param>
    /// <param name="place">Starts the message.</param>
    /// <exception cref="OnnxFormatException">It has not.</exception>
    public static void Run(NodeProto node, string place)
    {
        if (node.Domain is not ("" or "ai.onnx"))
        {
            return;
        }

        if (node.OpType is Node.Dimensions or Node.FakeQuantize or Node.FakeCodebook)
        {
            throw new OnnxFormatException($"{place} has the operator {node.OpType}, which the ONNX standard does not have.");
        }

        if (OnnxOperators.Find(node.OpType) is not { } signature)
        {
            return;
        }

        CheckNumber(node.Input, signature.Inputs, place, "input");
        CheckNumber(node.Output, signature.Outputs, place, "output");
        foreach (var attribute in node.Attribute)
        {
            if (!signature.Attributes.TryGetValue(attribute.Name, out var type))
            {
                throw new OnnxFormatException($"{place} has the attribute '{attribute.Name}', which its operator does not have; expected "
                    + $"{Names(signature.Attributes.Keys)}.");
            }

            if (attribute.Type != type)
            {
                throw new OnnxFormatException($"{place} has the attribute '{attribute.Name}' of type {attribute.Type}; expected {type}.");
            }

            if (attribute.I is not (0 or 1) && signature.Truths.Contains(attribute.Name))
            {
                throw new OnnxFormatException($"{place} has the attribute '{attribute.Name}' of {attribute.I}; expected 0 or 1.");
            }
        }

        if (signature.Required.FirstOrDefault(name => node.Attribute.All(attribute => attribute.Name != name)) is { } missing)
        {
            throw new OnnxFormatException($"{place} lacks the attribute '{missing}'.");
        }
    }

    private static void CheckNumber(RepeatedField<string> names, (int Required, int Most) expected, string place, string kind)
    {
        var (required, most) = expected;
        if (names.Count > most)
        {
            throw new OnnxFormatException($"{place} has {names.Count} {kind}s; expected at most {most}.");
        }

        for (var i = 0; i < required; i++)
        {
            if (i >= names.Count || names[i].Length == 0)
            {
                throw new OnnxFormatException($"{place} lacks its {kind} {i}; expected at least {required}.");
            }
        }
    }

    private static string Names(IEnumerable<string> names) => names.Any() ? string.Join(", ", names.Order(StringComparer.Ordinal)) : "none";
}
