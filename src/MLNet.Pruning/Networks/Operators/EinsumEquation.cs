namespace MLNet.Pruning.Networks.Operators;

/// <summary>Equations of Einsum, with a letter for each dimension.</summary>
internal static class EinsumEquation
{
    /// <summary>The first of the letters that stand for the dimensions behind three dots.</summary>
    private const char Dot = '\u0100';

    /// <summary>The letters of each operand and of the result; null where there are not as many as dimensions.</summary>
    public static (string[] Operands, string Output)? Parse(string equation, int[] ranks)
    {
        var sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != ranks.Length)
        {
            return null;
        }

        var counts = terms.Zip(ranks, (term, rank) => term.Contains("...", StringComparison.Ordinal) ? Math.Max(0, rank - (term.Length - 3)) : 0).ToArray();
        var most = counts.Max();
        string Spelled(string term, int count)
            => term.Replace("...", string.Concat(Enumerable.Range(0, count).Select(i => (char)(Dot + most - count + i))), StringComparison.Ordinal);
        var operands = terms.Zip(counts, Spelled).ToArray();
        if (operands.Zip(ranks).Any(pair => pair.First.Length != pair.Second))
        {
            return null;
        }

        // Without a right side: the dots, then the letters that occur once, in their order.
        var output = sides.Length == 2 ? sides[1] : "..." + string.Concat(operands.SelectMany(term => term).Where(char.IsAsciiLetter).GroupBy(letter => letter)
            .Where(group => group.Count() == 1).Select(group => group.Key).Order());
        return (operands, Spelled(output, most));
    }
}
