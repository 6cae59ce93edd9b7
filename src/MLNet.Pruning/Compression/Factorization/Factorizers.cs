namespace MLNet.Pruning.Compression.Factorization;

/// <summary>By the weight alone.</summary>
internal sealed class SvdFactorizer : Factorizer
{
    public override string ToString() => nameof(Svd);

    internal override string? Refusal(FactorizableLayer layer) => null;

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments)
        => MatrixDecomposition.Of(new PlainForm(layer.Weight, layer.Matrix));
}

/// <summary>By what the weight puts out on calibration rows.</summary>
internal sealed class OutputFactorizer(bool centred) : Factorizer
{
    public override string ToString() => centred ? nameof(Pca) : nameof(DataAwareSvd);

    internal override string? Refusal(FactorizableLayer layer) => null;

    internal override MatrixForm Measured(FactorizableLayer layer) => new PlainForm(layer.Weight, layer.Matrix);

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments) => moments!.Decompose(centred);
}

/// <summary>Of weights without negative values.</summary>
internal sealed class NonNegativeFactorizer(int iterations) : Factorizer
{
    public override string ToString() => Notation.Call(nameof(NonNegative), iterations);

    internal override string? Refusal(FactorizableLayer layer)
        => layer.Weight.Array.Count(value => value < 0) is > 0 and var negative
            ? string.Create(CultureInfo.InvariantCulture, $"{negative:N0} of the {layer.Weight.Count:N0} values of its weight are negative") : null;

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments)
        => MatrixDecomposition.Of(new PlainForm(layer.Weight, layer.Matrix)).NonNegative(iterations);
}

/// <summary>Of convolutions with a kernel.</summary>
internal abstract class KernelFactorizer : Factorizer
{
    internal override string? Refusal(FactorizableLayer layer) => !layer.IsConvolution
        ? $"{this} takes convolutions apart, and it is none ({layer.Node.Operator})"
        : layer.KernelPositions == 1 ? $"{this} takes kernels apart, and its have one position" : null;
}

/// <summary>Fewer channels, with a mixing before and behind.</summary>
internal sealed class TuckerFactorizer : KernelFactorizer
{
    public override string ToString() => nameof(Tucker2);

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments) => new TuckerDecomposition(layer);
}

/// <summary>A sum of products.</summary>
internal sealed class CpFactorizer(int iterations) : KernelFactorizer
{
    public override string ToString() => Notation.Call(nameof(Cp), iterations);

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments) => new CpDecomposition(layer, iterations);
}

/// <summary>A column and a row.</summary>
internal sealed class SpatialFactorizer : KernelFactorizer
{
    public override string ToString() => nameof(SpatialSvd);

    internal override string? Refusal(FactorizableLayer layer) => base.Refusal(layer)
        ?? (layer.Weight.Shape is [_, _, > 1, > 1] ? null : $"{this} takes kernels of two dimensions apart, and its are of "
            + TensorInfo.Dimensions(layer.Weight.Shape.Skip(2)));

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments) => MatrixDecomposition.Of(new SpatialForm(layer.Weight));
}

/// <summary>The first that can.</summary>
internal sealed class FactorizerSum(Factorizer first, Factorizer second) : Factorizer
{
    internal override IEnumerable<Factorizer> Terms => [.. first.Terms, .. second.Terms];

    public override string ToString() => $"{first} + {second}";

    internal override string? Refusal(FactorizableLayer layer)
        => Terms.Select(term => term.Refusal(layer)).ToArray() is var reasons && reasons.Contains(null) ? null : string.Join("; ", reasons);

    internal override MatrixForm? Measured(FactorizableLayer layer) => For(layer).Measured(layer);

    internal override Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments) => For(layer).Decompose(layer, moments);

    private Factorizer For(FactorizableLayer layer) => Terms.First(term => term.Refusal(layer) is null);
}
