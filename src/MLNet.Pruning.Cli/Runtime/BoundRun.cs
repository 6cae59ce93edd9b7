using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>A model in ONNX Runtime with random inputs and its outputs bound, to be timed.</summary>
internal sealed class BoundRun : IDisposable
{
    private readonly OnnxRun _run;
    private readonly OrtValue[] _inputs;
    private readonly IDisposableReadOnlyCollection<OrtValue> _outputs;

    /// <exception cref="ArgumentException">The file fixes another number of rows.</exception>
    public BoundRun(Model model, int batch, int threads, RandomSizes openSizes, int seed)
    {
        _run = new(model, threads);
        var inputs = new RandomInputs(model.Network, _run.FixedRows ?? batch, openSizes);
        if (inputs.Rows != batch)
        {
            _run.Dispose();
            throw new ArgumentException($"The batch of {model.File} is fixed to {inputs.Rows}; requested is {batch}.");
        }

        _inputs = inputs.Draw(new Random(seed));
        _outputs = _run.Run(_inputs);
    }

    public void Repeat() => _run.Run(_inputs, _outputs);

    public void Dispose()
    {
        _outputs.Dispose();
        Array.ForEach(_inputs, input => input.Dispose());
        _run.Dispose();
    }
}
