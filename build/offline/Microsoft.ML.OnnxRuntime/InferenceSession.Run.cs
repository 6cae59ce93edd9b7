using System.Buffers;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public partial class InferenceSession
{
    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(IReadOnlyCollection<NamedOnnxValue> inputs) => Run(inputs, _outputNames);

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputNames) => Run(inputs, outputNames, _defaultRunOptions);

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputNames, RunOptions options)
    {
        using var lent = new LentValues(inputs, name => MetadataOf(name, isInput: true));
        using var values = (DisposableList<OrtValue>)Run(options, lent.Names, lent.Values, outputNames);
        var results = new DisposableList<DisposableNamedOnnxValue>(values.Count);
        try
        {
            foreach (string name in outputNames)
            {
                results.Add(DisposableNamedOnnxValue.CreateFromOrtValue(name, values[results.Count]));
            }

            // They are the results' now.
            values.Clear();
            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
    }

    /// <summary>Runs into the memory of the tensors that the outputs hold.</summary>
    public void Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<NamedOnnxValue> outputs) =>
        Run(inputs, outputs, _defaultRunOptions);

    public void Run(IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<NamedOnnxValue> outputs, RunOptions options)
    {
        using var lentInputs = new LentValues(inputs, name => MetadataOf(name, isInput: true));
        using var lentOutputs = new LentValues(outputs, name => MetadataOf(name, isInput: false));
        Run(options, lentInputs.Names, lentInputs.Values, lentOutputs.Names, lentOutputs.Values);
    }

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputNames)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return Run(runOptions, [.. inputs.Keys], [.. inputs.Values], outputNames);
    }

    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames)
    {
        ArgumentNullException.ThrowIfNull(outputNames);
        nint[] made = new nint[outputNames.Count];
        RunNative(runOptions, inputNames, inputValues, outputNames, outputValues: null, made);
        var results = new DisposableList<OrtValue>(made.Length);
        results.AddRange(Array.ConvertAll(made, value => new ValueHandle(value)).Select(handle => new OrtValue(handle)));

        return results;
    }

    /// <summary>Runs into values that exist. Names and values in arrays or lists: nothing is allocated.</summary>
    public void Run(
        RunOptions runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue> outputValues)
    {
        ArgumentNullException.ThrowIfNull(outputNames);
        ArgumentNullException.ThrowIfNull(outputValues);
        if (outputNames.Count != outputValues.Count)
        {
            throw new ArgumentException(
                $"Length of {nameof(outputNames)} ({outputNames.Count}) must match that of {nameof(outputValues)} ({outputValues.Count}).");
        }

        RunNative(runOptions, inputNames, inputValues, outputNames, outputValues, made: []);
    }

    private static T ElementAt<T>(IReadOnlyCollection<T> items, int index) => items is IReadOnlyList<T> list ? list[index] : items.ElementAt(index);

    // Kept apart from the caller's collection, which may change during the run.
    private static void Hold(IReadOnlyCollection<OrtValue> values, Span<nint> pointers, ValueHandle[] handles, ref int held)
    {
        for (int i = 0; i < pointers.Length; i++)
        {
            ValueHandle handle = (ElementAt(values, i) ?? throw new ArgumentNullException(nameof(values), $"Value {i} is null")).Handle;
            bool added = false;
            handle.DangerousAddRef(ref added);
            handles[held++] = handle;
            pointers[i] = handle.DangerousGetHandle();
        }
    }

    private unsafe void RunNative(
        RunOptions runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue>? outputValues,
        Span<nint> made)
    {
        ArgumentNullException.ThrowIfNull(runOptions);
        ArgumentNullException.ThrowIfNull(inputNames);
        ArgumentNullException.ThrowIfNull(inputValues);
        if (inputNames.Count != inputValues.Count)
        {
            throw new ArgumentException(
                $"Length of {nameof(inputNames)} ({inputNames.Count}) must match that of {nameof(inputValues)} ({inputValues.Count}).");
        }

        const int OnStack = 64;
        int inputs = inputNames.Count;
        int outputs = outputNames.Count;
        int total = inputs + outputs;
        Span<nint> names = total <= OnStack ? stackalloc nint[OnStack] : new nint[total];
        Span<nint> values = total <= OnStack ? stackalloc nint[OnStack] : new nint[total];
        ValueHandle[] handles = ArrayPool<ValueHandle>.Shared.Rent(total);
        int held = 0;
        using var session = new Lease(_handle);
        using var options = new Lease(runOptions);
        try
        {
            Name(inputNames, names[..inputs], isInput: true);
            Name(outputNames, names[inputs..total], isInput: false);
            Hold(inputValues, values[..inputs], handles, ref held);
            if (outputValues is not null)
            {
                Hold(outputValues, values[inputs..total], handles, ref held);
            }

            fixed (nint* name = names, value = values)
            {
                NativeApi.Check(NativeApi.Run(
                    session.Pointer, options.Pointer, name, value, (nuint)inputs, name + inputs, (nuint)outputs, value + inputs));
            }

            values.Slice(inputs, made.Length).CopyTo(made);
        }
        finally
        {
            foreach (ValueHandle handle in handles.AsSpan(0, held))
            {
                handle.DangerousRelease();
            }

            ArrayPool<ValueHandle>.Shared.Return(handles, clearArray: true);
        }
    }

    private void Name(IReadOnlyCollection<string> names, Span<nint> pointers, bool isInput)
    {
        for (int i = 0; i < pointers.Length; i++)
        {
            string name = ElementAt(names, i);
            MetadataOf(name, isInput);
            pointers[i] = _handle.NameOf(name);
        }
    }

    private NodeMetadata MetadataOf(string name, bool isInput)
    {
        if (isInput ? _inputs.TryGetValue(name, out NodeMetadata? found) || _initializers.TryGetValue(name, out found) : _outputs.TryGetValue(name, out found))
        {
            return found;
        }

        throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"{(isInput ? "Input" : "Output")} name: '{name}' is not in the metadata");
    }

    /// <summary>The native values of named ones, for as long as a run takes.</summary>
    private sealed class LentValues : IDisposable
    {
        private readonly List<OrtValue> _temporary = [];

        public LentValues(IReadOnlyCollection<NamedOnnxValue> values, Func<string, NodeMetadata> metadataOf)
        {
            ArgumentNullException.ThrowIfNull(values);
            try
            {
                foreach (NamedOnnxValue named in values)
                {
                    ArgumentNullException.ThrowIfNull(named, nameof(values));
                    OrtValue value = named.Lend(metadataOf(named.Name), out bool owned);
                    if (!owned)
                    {
                        _temporary.Add(value);
                    }

                    Names.Add(named.Name);
                    Values.Add(value);
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public List<string> Names { get; } = [];

        public List<OrtValue> Values { get; } = [];

        public void Dispose()
        {
            foreach (OrtValue value in _temporary)
            {
                value.Dispose();
            }
        }
    }
}
