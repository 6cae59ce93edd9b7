using System.Collections.Concurrent;
using System.Text;

namespace TorchSharp.Interop;

/// <summary>Calls of libtorch's operators by the name of their schema, with its overload after a dot.</summary>
internal static unsafe class Operator
{
    private const int MaxArguments = 16;
    private const int StackWords = 64;

    // Names are literals, which are one object each: comparing references is all it takes.
    private static readonly ConcurrentDictionary<object, nint> s_operators = new(ReferenceEqualityComparer.Instance);

    internal static Tensor Call(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue* results = Invoke(name, arguments, keepResults: true, out _);
        return new Tensor((nint)results[0].Bits);
    }

    internal static (Tensor, Tensor) CallPair(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue* results = Invoke(name, arguments, keepResults: true, out _);
        return (new Tensor((nint)results[0].Bits), new Tensor((nint)results[1].Bits));
    }

    internal static Tensor[] CallMany(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue* results = Invoke(name, arguments, keepResults: true, out int count);
        var tensors = new Tensor[count];
        for (int i = 0; i < count; i++)
        {
            tensors[i] = new Tensor((nint)results[i].Bits);
        }

        return tensors;
    }

    internal static bool CallBoolean(string name, params ReadOnlySpan<Argument> arguments)
        => Invoke(name, arguments, keepResults: true, out _)[0].Bits != 0;

    internal static NativeValue CallScalar(string name, params ReadOnlySpan<Argument> arguments)
        => Invoke(name, arguments, keepResults: true, out _)[0];

    /// <summary>For operators that change their first argument and return it.</summary>
    internal static void CallInPlace(string name, params ReadOnlySpan<Argument> arguments)
        => Invoke(name, arguments, keepResults: false, out _);

    private static NativeValue* Invoke(string name, ReadOnlySpan<Argument> arguments, bool keepResults, out int count)
    {
        if (!s_operators.TryGetValue(name, out nint op))
        {
            op = s_operators.GetOrAdd(name, Find(name));
        }

        NativeValue* values = stackalloc NativeValue[MaxArguments];
        int words = CountWords(arguments);
        Span<long> scratch = words <= StackWords ? stackalloc long[StackWords] : new long[words];
        NativeValue* results;
        int found;
        int status;
        fixed (long* memory = scratch)
        {
            Fill(arguments, values, memory);
            status = NativeMethods.ts_call(op, values, arguments.Length, keepResults ? 1 : 0, &results, &found);
        }

        foreach (ref readonly Argument argument in arguments)
        {
            GC.KeepAlive(argument.Reference);
        }

        NativeMethods.Check(status);
        count = found;
        return results;
    }

    private static nint Find(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        string schema = "aten::" + (dot < 0 ? name : name[..dot]);
        nint op;
        NativeMethods.Check(NativeMethods.ts_find_operator(schema, dot < 0 ? "" : name[(dot + 1)..], &op));
        return op;
    }

    private static int CountWords(ReadOnlySpan<Argument> arguments)
    {
        int words = 0;
        foreach (ref readonly Argument argument in arguments)
        {
            words += argument.Kind switch
            {
                ValueKind.Ints or ValueKind.Doubles or ValueKind.Tensors or ValueKind.OptionalTensors => ((Array)argument.Reference!).Length,
                ValueKind.Text => (Encoding.UTF8.GetMaxByteCount(((string)argument.Reference!).Length) / sizeof(long)) + 1,
                _ => 0,
            };
        }

        return words;
    }

    private static void Fill(ReadOnlySpan<Argument> arguments, NativeValue* values, long* memory)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            ref readonly Argument argument = ref arguments[i];
            ref NativeValue value = ref values[i];
            value = new NativeValue { Kind = argument.Kind, Bits = argument.Bits };
            switch (argument.Kind)
            {
                case ValueKind.Tensor:
                    value.Bits = ((Tensor)argument.Reference!).Handle;
                    break;
                case ValueKind.Generator:
                    value.Bits = ((Generator)argument.Reference!).ValidHandle;
                    break;
                case ValueKind.Device:
                    value.Length = (int)((Device)argument.Reference!).type;
                    break;
                case ValueKind.Ints:
                    var integers = (long[])argument.Reference!;
                    integers.CopyTo(new Span<long>(memory, integers.Length));
                    memory = Attach(ref value, integers.Length, memory);
                    break;
                case ValueKind.Doubles:
                    var numbers = (double[])argument.Reference!;
                    numbers.CopyTo(new Span<double>(memory, numbers.Length));
                    memory = Attach(ref value, numbers.Length, memory);
                    break;
                case ValueKind.Tensors:
                case ValueKind.OptionalTensors:
                    var tensors = (Tensor?[])argument.Reference!;
                    for (int k = 0; k < tensors.Length; k++)
                    {
                        memory[k] = tensors[k]?.Handle ?? 0;
                    }

                    memory = Attach(ref value, tensors.Length, memory);
                    break;
                case ValueKind.Text:
                    var text = (string)argument.Reference!;
                    int capacity = Encoding.UTF8.GetMaxByteCount(text.Length);
                    value.Length = Encoding.UTF8.GetBytes(text, new Span<byte>(memory, capacity));
                    value.Bits = (nint)memory;
                    memory += (capacity / sizeof(long)) + 1;
                    break;
            }
        }
    }

    private static long* Attach(ref NativeValue value, int length, long* memory)
    {
        value.Length = length;
        value.Bits = (nint)memory;
        return memory + length;
    }
}
