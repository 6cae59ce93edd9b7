using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Scoring.Operators;
using MLNet.Pruning.Structure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MLNet.Pruning.Tests.Networks;

/// <summary>That no part knows an operator that another was forgotten for.</summary>
[TestClass]
public class OperatorCatalogueTests
{
    private const string Reading = "told apart when a file is read";
    private const string Carried = "of ONNX Runtime's own domain, carried as it is";
    private const string Values = "what it picks or writes depends on values";

    /// <summary>Parts that do without an operator of the catalogue, and why.</summary>
    private static readonly Dictionary<string, (string Part, string Why)[]> s_missing = new()
    {
        ["NonZero"] = [("scoring", "how much it gives depends on values"), ("coupling", Values), ("liveness", Values)],
        ["Range"] = [("coupling", "it holds numbers, not units"), ("liveness", "it holds numbers, not units")],
        ["GatherElements"] = [("coupling", Values), ("liveness", Values)],
        ["ScatterElements"] = [("coupling", Values), ("liveness", Values)],
        ["ScatterND"] = [("coupling", Values), ("liveness", Values)],
        ["TensorScatter"] = [("liveness", "steps come from two tensors")],
        ["Einsum"] = [("coupling", "read as products of matrices, but for one that takes a diagonal"), ("liveness", "as for coupling")],
        ["Shape"] = [("liveness", "it holds sizes")],
        ["Size"] = [("liveness", "it holds sizes")],
        [Node.Dimensions] = [("liveness", "it holds sizes")],
        ["ConstantOfShape"] = [("liveness", "it reads sizes only")],
        ["LSTM"] = [("liveness", "every unit reads every other, step by step")],
        ["GRU"] = [("liveness", "every unit reads every other, step by step")],
        ["RNN"] = [("liveness", "every unit reads every other, step by step")],
    };

    /// <summary>Operators that code tells apart and the catalogue lacks, and why.</summary>
    private static readonly Dictionary<string, string> s_elsewhere = new()
    {
        ["MatMulInteger"] = Reading, ["If"] = Reading, ["Loop"] = Reading, ["Scan"] = Reading, ["Constant"] = Reading,
        ["BiasSoftmax"] = Carried, ["BiasSplitGelu"] = Carried, ["GroupNorm"] = Carried, ["GroupQueryAttention"] = Carried, ["MatMulNBits"] = Carried,
        ["MultiHeadAttention"] = Carried, ["QuickGelu"] = Carried, ["RotaryEmbedding"] = Carried, ["SkipLayerNormalization"] = Carried,
        ["SkipSimplifiedLayerNormalization"] = Carried, ["com.microsoft.QGemm"] = Carried, ["com.microsoft.QAttention"] = Carried,
    };

    [TestMethod]
    public void What_shapes_know_scoring_coupling_and_liveness_know_or_say_why_not()
    {
        var parts = new Dictionary<string, HashSet<string>>
        {
            ["scoring"] = [.. TorchOperators.Operators],
            ["coupling"] = [.. Coupling.Operators],
            ["liveness"] = [.. OperatorCatalogue.All.Where(one =>
                one.IsElementwise || one.Over is not null || one.Values != MLNet.Pruning.Networks.Operators.Values.Computed
                || one.Weights.Any(weight => weight.Product is not null)).Select(one => one.Name)],
        };
        var found = OperatorCatalogue.All.SelectMany(one => parts.Where(part => !part.Value.Contains(one.Name)).Select(part => $"{one.Name}: {part.Key}"))
            .Order(StringComparer.Ordinal).ToArray();
        var told = s_missing.SelectMany(one => one.Value.Select(part => $"{one.Key}: {part.Part}")).Order(StringComparer.Ordinal).ToArray();
        Assert.AreEqual(string.Join(Environment.NewLine, told), string.Join(Environment.NewLine, found));
        foreach (var (part, names) in parts)
        {
            Assert.IsEmpty(names.Where(name => OperatorCatalogue.Find(name) is null), $"{part} knows what the catalogue lacks");
        }
    }

    [TestMethod]
    public void The_catalogue_holds_operators_of_the_standard_only()
        => Assert.IsEmpty(OperatorCatalogue.All.Select(one => one.Name).Except(OnnxOperators.All)
            .Except([Node.Dimensions, Node.FakeQuantize, Node.FakeCodebook]));

    [TestMethod]
    public void Operators_that_code_tells_apart_are_of_the_catalogue_or_told_why_not()
    {
        var source = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "src");
        var named = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .SelectMany(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetRoot().DescendantNodes().OfType<LiteralExpressionSyntax>()
                .Where(literal => literal.IsKind(SyntaxKind.StringLiteralExpression) && IsOperator(literal))
                .Select(literal => (Name: literal.Token.ValueText, File: Path.GetFileName(path))))
            .ToLookup(entry => entry.Name, entry => entry.File);
        Assert.IsGreaterThan(50, named.Count);
        var lacking = named.Where(name => OperatorCatalogue.Find(name.Key) is null && !s_elsewhere.ContainsKey(name.Key))
            .Select(name => $"{name.Key} in {string.Join(", ", name.Distinct())}").Order();
        Assert.IsEmpty(lacking, string.Join(Environment.NewLine, lacking));
        Assert.IsEmpty(s_elsewhere.Keys.Where(name => !named.Contains(name) || OperatorCatalogue.Find(name) is not null), "told without need");
    }

    /// <summary>Whether a text is compared with the operator of a node: by an equality, a pattern, or a case.</summary>
    private static bool IsOperator(LiteralExpressionSyntax literal)
    {
        for (SyntaxNode? node = literal; node is not null and not StatementSyntax and not MemberDeclarationSyntax; node = node.Parent)
        {
            switch (node.Parent)
            {
                case SubpatternSyntax { NameColon.Name.Identifier.ValueText: "Operator" or "OpType" }:
                    return true;
                case SubpatternSyntax:
                    return false;
                case IsPatternExpressionSyntax { Expression: var asked } pattern when node == pattern.Pattern:
                    return Names(asked);
                case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.EqualsExpression or (int)SyntaxKind.NotEqualsExpression } equality:
                    return Names(equality.Left);
                case SwitchExpressionArmSyntax arm when node == arm.Pattern:
                    return Names(((SwitchExpressionSyntax)arm.Parent!).GoverningExpression);
                case CasePatternSwitchLabelSyntax or CaseSwitchLabelSyntax:
                    return Names(((SwitchStatementSyntax)node.Parent.Parent!.Parent!).Expression);
                case ArgumentSyntax or SwitchExpressionArmSyntax or WhenClauseSyntax:
                    return false;
            }
        }

        return false;
    }

    private static bool Names(ExpressionSyntax expression) => expression is MemberAccessExpressionSyntax { Name.Identifier.ValueText: "Operator" or "OpType" };
}
