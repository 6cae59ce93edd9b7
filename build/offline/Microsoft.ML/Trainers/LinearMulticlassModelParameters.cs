using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Trainers;

public abstract class LinearMulticlassModelParametersBase : ModelParametersBase<VBuffer<float>>
{
    private readonly float[] _biases;
    private readonly float[] _weights;

    /// <param name="weights">Class by class, one weight a feature.</param>
    /// <param name="biases">One a class.</param>
    private protected LinearMulticlassModelParametersBase(float[] weights, float[] biases)
    {
        _weights = weights;
        _biases = biases;
        ScoredFeatureCount = weights.Length / biases.Length;
    }

    private protected override int ScoredFeatureCount { get; }

    private protected abstract string Signature { get; }

    public IEnumerable<float> GetBiases() => Array.AsReadOnly(_biases);

    public void GetWeights(ref VBuffer<float>[] weights, out int numClasses)
    {
        numClasses = _biases.Length;
        if (weights is null || weights.Length < numClasses)
        {
            weights = new VBuffer<float>[numClasses];
        }

        for (int i = 0; i < numClasses; i++)
        {
            VBuffer<float>.Copy(_weights, i * ScoredFeatureCount, ref weights[i], ScoredFeatureCount);
        }
    }

    private protected override void ScoreRow(in VBuffer<float> features, ref VBuffer<float> score)
    {
        var editor = VBufferEditor.Create(ref score, _biases.Length);
        for (int i = 0; i < _biases.Length; i++)
        {
            editor.Values[i] = _biases[i] + LinearKernels.Dot(_weights.AsSpan(i * ScoredFeatureCount, ScoredFeatureCount), in features);
        }

        Activate(editor.Values);
        score = editor.Commit();
    }

    /// <summary>Turns the linear outputs into scores.</summary>
    private protected abstract void Activate(Span<float> scores);

    private protected override void SaveParameters(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.WriteSingles(_weights);
        ctx.Writer.WriteSingles(_biases);
    }
}

public sealed class MaximumEntropyModelParameters : LinearMulticlassModelParametersBase
{
    internal const string LoaderSignature = "MultiClassLRExec";

    internal MaximumEntropyModelParameters(float[] weights, float[] biases)
        : base(weights, biases)
    {
    }

    private protected override string Signature => LoaderSignature;

    private protected override void Activate(Span<float> scores)
    {
        float max = float.NegativeInfinity;
        foreach (float score in scores)
        {
            max = Math.Max(max, score);
        }

        double sum = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = MathF.Exp(scores[i] - max);
            sum += scores[i];
        }

        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = (float)(scores[i] / sum);
        }
    }

    private static MaximumEntropyModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(ctx.Reader.ReadSingles(), ctx.Reader.ReadSingles());
}
