using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>
/// A convolution over two dimensions as a sparse product: filters x the taps of their windows, times the positions of the image, of which each tap reads those
/// that lie a fixed distance away. Where it moves by more than one position at a time, the input is taken apart into as many images as there are such steps
/// first, so that a tap's positions follow one another again.
/// </summary>
internal sealed unsafe class ConvolutionStep : SparseStep
{
    private readonly int _input;
    private readonly int _output;
    private readonly int _addend;
    private readonly int _apart;
    private readonly ConvolutionShape _shape;
    private readonly bool _relu;
    private readonly SparseProduct? _product;
    private readonly MovedProduct? _moved;

    /// <param name="input">Buffer of what it reads.</param>
    /// <param name="output">Buffer of what it gives.</param>
    /// <param name="addend">Buffer, laid out as the output, of what is added to the result; negative for none.</param>
    /// <param name="apart">Buffer for the input taken apart; negative where it is read as it is.</param>
    /// <param name="shape">How it moves, and how what it reads and gives is laid out.</param>
    /// <param name="weights">Filters x channels x height x width.</param>
    /// <param name="bias">One for each filter.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public ConvolutionStep(int input, int output, int addend, int apart, ConvolutionShape shape, float[] weights, float[] bias, bool relu)
    {
        (_input, _output, _addend, _apart, _shape, _relu) = (input, output, addend, apart, shape, relu);
        if (shape.MovesSums(weights, bias.Length))
        {
            _moved = new(weights, bias, shape.RowOffsets(), shape.Moves(), shape.BytesOfRowTap);
        }
        else
        {
            _product = new(weights, bias, shape.Offsets(), shape.BytesOfTap);
        }
    }

    public override string Kernel => _moved is null ? "sparse convolution" : "sparse convolution by columns";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var x = memory[_input];
        if (_apart >= 0)
        {
            _shape.TakeApart(x, memory[_apart]);
            x = memory[_apart];
        }

        var output = _shape.Output;
        float* from = x + _shape.Start, to = memory[_output] + output.Start, addend = _addend < 0 ? null : memory[_addend] + output.Start;
        _product?.Run(from, to, output.Stride, output.Span, addend, _relu);
        // Sums are moved in whole rows.
        _moved?.Run(from, to, output.Stride, output.Height * output.Pitch, addend, _relu);
        output.ClearMargins(memory.Span(_output));
    }
}
