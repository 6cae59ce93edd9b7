using System.Globalization;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>
/// Trainings in a process of its own, for what native libraries read when they load: answers every line "NETWORK OPTIMIZER EPOCHS" with steps a
/// second.
/// </summary>
internal static class TrainingProcess
{
    public const string Name = "training-process";

    public static void Run()
    {
        set_num_threads(1);
        var cases = new Dictionary<(string, string), TrainingCase>();
        while (Console.ReadLine()?.Split(' ') is [var network, var optimizer, var epochs])
        {
            if (!cases.TryGetValue((network, optimizer), out var training))
            {
                training = cases[(network, optimizer)] = new(network, optimizer);
            }

            Console.WriteLine(training.StepsPerSecond(int.Parse(epochs, CultureInfo.InvariantCulture), CPU).ToString("R", CultureInfo.InvariantCulture));
        }
    }
}
