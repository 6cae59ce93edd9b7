using TorchSharp.Interop;

namespace TorchSharp.Modules;

/// <summary>The step that Adam and AdamW share: they differ in where the weight decay goes.</summary>
internal static unsafe class AdamMoments
{
    internal static void Step(ParamGroup group, Func<Parameter, IMoments> momentsOf, AdamSettings settings)
    {
        Parameter[] parameters = group.Members;
        IMoments[] moments = [.. parameters.Select(momentsOf)];
        nint[] handles = Handles.Of(parameters);
        nint[] means = Handles.Of(moments.Select(moment => moment.Mean));
        nint[] squares = Handles.Of(moments.Select(moment => moment.Square));
        nint[] maxima = settings.AmsGrad ? Handles.Of(moments.Select(moment => moment.Maximum)) : [];
        long[] steps = [.. moments.Select(moment => moment.Steps)];
        int status;
        fixed (nint* p = handles, m = means, s = squares, x = maxima)
        fixed (long* t = steps)
        {
            status = NativeMethods.ts_adam_step(p, m, s, settings.AmsGrad ? x : null, t, handles.Length, group.LearningRate,
                settings.Beta1, settings.Beta2, settings.Epsilon, settings.WeightDecay, settings.Decoupled ? 1 : 0,
                settings.Maximize ? 1 : 0);
        }

        for (int i = 0; i < steps.Length; i++)
        {
            moments[i].Steps = steps[i];
        }

        GC.KeepAlive(moments);
        NativeMethods.Check(status);
    }
}

/// <summary>What Adam keeps for a parameter.</summary>
internal interface IMoments
{
    long Steps { get; set; }

    Tensor Mean { get; }

    Tensor Square { get; }

    Tensor? Maximum { get; }
}

internal readonly record struct AdamSettings(
    double Beta1, double Beta2, double Epsilon, double WeightDecay, bool AmsGrad, bool Decoupled, bool Maximize)
{
    internal void Validate(double learningRate)
    {
        Require(learningRate >= 0, $"Invalid learning rate: {learningRate}");
        Require(Epsilon >= 0, $"Invalid ε: {Epsilon}");
        Require(Beta1 is >= 0 and < 1, $"Invalid beta1: {Beta1}");
        Require(Beta2 is >= 0 and < 1, $"Invalid beta2: {Beta2}");
        Require(WeightDecay >= 0, $"Invalid weight_decay value: {WeightDecay}");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
