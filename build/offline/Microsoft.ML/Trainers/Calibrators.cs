using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Calibrators;

public interface ICalibrator
{
    float PredictProbability(float output);
}

public sealed class PlattCalibrator : ICalibrator, ICanSaveModel
{
    internal const string LoaderSignature = "PlattCaliExec";

    internal PlattCalibrator(double slope, double offset)
    {
        Slope = slope;
        Offset = offset;
    }

    public double Slope { get; }

    public double Offset { get; }

    public float PredictProbability(float output) => float.IsNaN(output) ? output : (float)(1 / (1 + Math.Exp(Slope * output + Offset)));

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.SetSignature(LoaderSignature);
        ctx.Writer.Write(Slope);
        ctx.Writer.Write(Offset);
    }

    private static PlattCalibrator Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx.Reader.ReadDouble(), ctx.Reader.ReadDouble());
}

public abstract class CalibratedModelParametersBase
{
    private protected CalibratedModelParametersBase(object subModel, ICalibrator calibrator)
    {
        SubModel = subModel;
        Calibrator = calibrator;
    }

    public object SubModel { get; }

    public ICalibrator Calibrator { get; }
}

public abstract class CalibratedModelParametersBase<TSubModel, TCalibrator> : CalibratedModelParametersBase
    where TSubModel : class
    where TCalibrator : class, ICalibrator
{
    private protected CalibratedModelParametersBase(TSubModel subModel, TCalibrator calibrator)
        : base(subModel, calibrator)
    {
        SubModel = subModel;
        Calibrator = calibrator;
    }

    public new TSubModel SubModel { get; }

    public new TCalibrator Calibrator { get; }
}

/// <summary>The one implementation: scores with the sub-model.</summary>
internal sealed class CalibratedModelParameters<TSubModel, TCalibrator> : CalibratedModelParametersBase<TSubModel, TCalibrator>, IScorer<float>, ICanSaveModel
    where TSubModel : class, IScorer<float>, ICanSaveModel
    where TCalibrator : class, ICalibrator, ICanSaveModel
{
    public CalibratedModelParameters(TSubModel subModel, TCalibrator calibrator)
        : base(subModel, calibrator)
    {
    }

    public int FeatureCount => SubModel.FeatureCount;

    public void Score(in VBuffer<float> features, ref float score) => SubModel.Score(in features, ref score);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.SetSignature(CalibratedModelLoader.LoaderSignature);
        ctx.SaveModel(SubModel, "Predictor");
        ctx.SaveModel(Calibrator, "Calibrator");
    }
}

internal static class CalibratedModelLoader
{
    internal const string LoaderSignature = "PMixCaliPredExec";

    private static object Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        object model = ctx.LoadModel<object>(env, "Predictor");
        object calibrator = ctx.LoadModel<object>(env, "Calibrator");
        return Activator.CreateInstance(typeof(CalibratedModelParameters<,>).MakeGenericType(model.GetType(), calibrator.GetType()), model, calibrator)!;
    }
}
