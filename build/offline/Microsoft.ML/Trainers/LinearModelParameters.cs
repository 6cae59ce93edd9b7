using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Trainers;

public abstract class LinearModelParameters : ModelParametersBase<float>
{
    private readonly float[] _weights;

    private protected LinearModelParameters(float[] weights, float bias)
    {
        _weights = weights;
        Bias = bias;
        Weights = Array.AsReadOnly(weights);
    }

    private protected LinearModelParameters(ModelLoadContext ctx)
        : this(ctx.Reader.ReadSingles(), ctx.Reader.ReadSingle())
    {
    }

    public IReadOnlyList<float> Weights { get; }

    public float Bias { get; protected set; }

    private protected override int ScoredFeatureCount => _weights.Length;

    private protected abstract string Signature { get; }

    private protected override void ScoreRow(in VBuffer<float> features, ref float score) =>
        score = LinearKernels.Dot(_weights, in features) + Bias;

    private protected override void SaveParameters(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.WriteSingles(_weights);
        ctx.Writer.Write(Bias);
    }
}

public abstract class RegressionModelParameters : LinearModelParameters
{
    private protected RegressionModelParameters(float[] weights, float bias)
        : base(weights, bias)
    {
    }

    private protected RegressionModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }
}

public sealed class LinearRegressionModelParameters : RegressionModelParameters
{
    internal const string LoaderSignature = "LinearRegressionExec";

    internal LinearRegressionModelParameters(float[] weights, float bias)
        : base(weights, bias)
    {
    }

    private LinearRegressionModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private static LinearRegressionModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}

public sealed class LinearBinaryModelParameters : LinearModelParameters
{
    internal const string LoaderSignature = "LinearBinaryExec";

    internal LinearBinaryModelParameters(float[] weights, float bias)
        : base(weights, bias)
    {
    }

    private LinearBinaryModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private static LinearBinaryModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}
