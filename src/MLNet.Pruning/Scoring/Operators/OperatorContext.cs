using MLNet.Pruning.Networks.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>One node and where its operands are, for the rule that makes it a step of a <see cref="TorchGraph"/>.</summary>
/// <param name="node">The node.</param>
/// <param name="network">Its network.</param>
/// <param name="device">Where the graph runs.</param>
/// <param name="slot">The slot of a tensor.</param>
internal sealed class OperatorContext(Node node, Network network, Device device, Func<string, int> slot)
{
    /// <summary>Slot of an optional operand that is left out.</summary>
    public const int Absent = -1;

    private readonly HashSet<string> _reads = [.. node.Inputs.Where(input => input.Length > 0)];
    private readonly List<Tensor> _owned = [];

    public Node Node => node;

    public Network Network => network;

    public Device Device => device;

    /// <summary>Names of the tensors that the step reads: the node's operands, and what tells its open sizes.</summary>
    public IReadOnlyCollection<string> Reads => _reads;

    /// <summary>Names of the tensors that the step writes.</summary>
    public IReadOnlyList<string> Writes { get; private set; } = [];

    /// <summary>Tensors that live as long as the graph.</summary>
    public IReadOnlyList<Tensor> Owned => _owned;

    /// <summary>Type of the tensors that hold values of a type, null for none; floats are 32 bits wide whatever the file says.</summary>
    public static ScalarType? ElementType(TensorType type) => type switch
    {
        TensorType.Float or TensorType.Float16 or TensorType.BFloat16 or TensorType.Double => ScalarType.Float32,
        TensorType.Bool => ScalarType.Bool,
        TensorType.UInt8 => ScalarType.Byte,
        TensorType.Int8 => ScalarType.Int8,
        TensorType.Int16 => ScalarType.Int16,
        TensorType.Int32 => ScalarType.Int32,
        TensorType.Int64 or TensorType.UInt16 or TensorType.UInt32 or TensorType.UInt64 => ScalarType.Int64,
        _ => null,
    };

    public bool Has(int input) => node.Input(input) is not null;

    /// <summary>Slot of an operand.</summary>
    public int Input(int input) => Has(input) ? slot(node.Inputs[input]) : throw Refuse($"lacks its input {input}");

    /// <summary>Slot of an operand, <see cref="Absent"/> where it is left out.</summary>
    public int Optional(int input) => Has(input) ? Input(input) : Absent;

    /// <summary>Shape of an operand; default where it is not known.</summary>
    public ImmutableArray<int> Shape(int input) => network.Find(node.Inputs[input])?.Shape ?? default;

    /// <summary>The parameter that an operand is; null for other tensors.</summary>
    public Parameter? Parameter(int input) => Has(input) && network.TryGetParameter(node.Inputs[input], out var parameter) ? parameter : null;

    public NotSupportedException Refuse(string why) => new($"Node '{node.Name}' has the operator '{node.Operator}', which cannot be run: it {why}.");

    /// <summary>Refuses the node where a condition does not hold.</summary>
    public void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw Refuse(otherwise);
        }
    }

    /// <summary>Type of the tensors that hold the type which an attribute names.</summary>
    public ScalarType ElementType(string attribute, TensorType otherwise)
    {
        var type = (TensorType)node.Int(attribute, (long)otherwise);
        return ElementType(type) ?? throw Refuse($"makes values of the type {type}");
    }

    /// <summary>A tensor that lives as long as the graph.</summary>
    public Tensor Own(Tensor tensor)
    {
        var own = tensor.to(device).DetachFromDisposeScope();
        _owned.Add(own);
        return own;
    }

    /// <summary>A step that writes the node's first output.</summary>
    public Action<Pass> Returns(Func<Pass, Tensor> run)
    {
        Writes = [node.Outputs[0]];
        var (output, inputs) = (slot(node.Outputs[0]), node.Inputs.Where(input => input.Length > 0).Select(slot).ToArray());
        return pass =>
        {
            var result = run(pass);
            foreach (var input in inputs)
            {
                if (ReferenceEquals(pass[input], result))
                {
                    // Each slot has a tensor object of its own, so that one can be given up without the other.
                    result = result.alias();
                    break;
                }
            }

            pass[output] = result;
        };
    }

    /// <summary>A step that writes all outputs of the node that have a name.</summary>
    /// <param name="run">Gives the outputs in order; those without a name are not looked at.</param>
    public Action<Pass> ReturnsAll(Func<Pass, Tensor[]> run)
    {
        Writes = [.. node.Outputs.Where(output => output.Length > 0)];
        var outputs = node.Outputs.Select((name, i) => (name, i)).Where(output => output.name.Length > 0).Select(output => (output.i, Slot: slot(output.name)))
            .ToArray();
        return pass =>
        {
            var results = run(pass);
            foreach (var (i, output) in outputs)
            {
                pass[output] = results[i];
            }
        };
    }

    /// <summary>As <see cref="Returns"/>, for what makes tensors on the way: they are given up at the step's end.</summary>
    public Action<Pass> ReturnsComposed(Func<Pass, Tensor> run) => Returns(pass =>
    {
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(run(pass));
    });

    /// <summary>Integers that an attribute holds or, where it does not, an operand when the graph runs; null where neither is there.</summary>
    public Func<Pass, long[]>? Integers(string attribute, int input)
    {
        if (node.Attributes.TryGetValue(attribute, out var value))
        {
            var fixedValues = value as long[] ?? [(long)value];
            if (fixedValues.Any(FoldedValue.IsOpenSize))
            {
                var bounds = fixedValues.Select(bound => FoldedValue.IsOpenSize(bound) ? Size(FoldedValue.ToSize(bound)) : _ => bound).ToArray();
                return pass => [.. bounds.Select(bound => bound(pass))];
            }

            return _ => fixedValues;
        }

        var operand = Optional(input);
        return operand == Absent ? null : pass => Read(pass[operand]);
    }

    /// <summary>Sizes of which some may be open.</summary>
    public Func<Pass, long[]> Sizes(long[] sizes)
    {
        if (sizes.All(size => size >= 0))
        {
            return _ => sizes;
        }

        var parts = sizes.Select(size => Size((int)size)).ToArray();
        return pass => [.. parts.Select(part => part(pass))];
    }

    private static long[] Read(Tensor tensor)
    {
        using var integers = tensor.to(ScalarType.Int64);
        using var here = integers.cpu();
        using var dense = here.contiguous();
        return MemoryMarshal.Cast<byte, long>(dense.bytes).ToArray();
    }

    private Func<Pass, long> Size(int size)
    {
        var (coefficient, factors) = network.Graph.Symbols.Factors(size);
        var places = factors.Select(Place).ToArray();
        return pass => places.Aggregate(coefficient, (product, place) => checked(product * pass[place.Slot].shape[place.Dimension]));
    }

    /// <summary>Where an open size can be read: off one of the operands, else off the tensor that tells it.</summary>
    private (int Slot, int Dimension) Place(int size)
    {
        for (var i = 0; i < node.Inputs.Length; i++)
        {
            if (Has(i) && Shape(i) is { IsDefault: false } shape && shape.IndexOf(size) is >= 0 and var dimension)
            {
                return (Input(i), dimension);
            }
        }

        var (tensor, at) = network.Graph.Symbols.Source(size) is { } source ? source
            : size == TensorInfo.Batch ? (network.Input.Name, 0)
            : throw Refuse($"needs the open size '{network.Graph.Symbols.Name(size)}', which no tensor tells");
        _reads.Add(tensor);
        return (slot(tensor), at);
    }
}
