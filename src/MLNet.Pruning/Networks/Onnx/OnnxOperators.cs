using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// The operators of the ONNX standard from opset 7 on, what all their versions allow together. Taken from the standard's own list of changes
/// (onnx 1.23, docs/Changelog.md).
/// </summary>
internal static class OnnxOperators
{
    private static readonly FrozenDictionary<string, AttributeType> s_types = new Dictionary<string, AttributeType>
    {
        ["i"] = AttributeType.Int, ["b"] = AttributeType.Int, ["f"] = AttributeType.Float, ["s"] = AttributeType.String, ["t"] = AttributeType.Tensor,
        ["g"] = AttributeType.Graph,
        ["is"] = AttributeType.Ints, ["fs"] = AttributeType.Floats, ["ss"] = AttributeType.Strings, ["st"] = AttributeType.SparseTensor,
        ["tp"] = AttributeType.TypeProto,
    }.ToFrozenDictionary();

    // Operator, inputs, outputs, attributes. Inputs and outputs are those that have to be there and the most there may be, attributes their name and type, with
    // "!" where every version asks for them; "b" is a number that is 0 or 1. A line that begins with more spaces goes on.
    private const string Table = """
        Abs 1-1 1-1
        Acos 1-1 1-1
        Acosh 1-1 1-1
        Add 2-2 1-1
        AffineGrid 2-2 1-1 align_corners:b
        And 2-2 1-1
        ArgMax 1-1 1-1 axis:i keepdims:b select_last_index:b
        ArgMin 1-1 1-1 axis:i keepdims:b select_last_index:b
        Asin 1-1 1-1
        Asinh 1-1 1-1
        Atan 1-1 1-1
        Atanh 1-1 1-1
        Attention 3-7 1-4 is_causal:b kv_num_heads:i left_window_size:i q_num_heads:i qk_matmul_output_mode:i right_window_size:i scale:f softcap:f
            softmax_precision:i
        AveragePool 1-1 1-1 auto_pad:s ceil_mode:b count_include_pad:b dilations:is kernel_shape:is! pads:is strides:is
        BatchNormalization 5-5 1-5 epsilon:f momentum:f spatial:b training_mode:b
        Bernoulli 1-1 1-1 dtype:i seed:f
        BitCast 1-1 1-1 to:i!
        BitShift 2-2 1-1 direction:s!
        BitwiseAnd 2-2 1-1
        BitwiseNot 1-1 1-1
        BitwiseOr 2-2 1-1
        BitwiseXor 2-2 1-1
        BlackmanWindow 1-1 1-1 output_datatype:i periodic:b
        Cast 1-1 1-1 round_mode:s saturate:b to:i!
        CastLike 2-2 1-1 round_mode:s saturate:b
        CausalConvWithState 2-4 2-2 activation:s
        Ceil 1-1 1-1
        Celu 1-1 1-1 alpha:f
        CenterCropPad 2-2 1-1 axes:is
        Clip 1-3 1-1 max:f min:f
        Col2Im 3-3 1-1 dilations:is pads:is strides:is
        Compress 2-2 1-1 axis:i
        Concat 1-* 1-1 axis:i!
        ConcatFromSequence 1-1 1-1 axis:i! new_axis:b
        Constant 0-0 1-1 sparse_value:st value:t value_float:f value_floats:fs value_int:i value_ints:is value_string:s value_strings:ss
        ConstantOfShape 1-1 1-1 value:t
        Conv 2-3 1-1 auto_pad:s dilations:is group:i kernel_shape:is pads:is strides:is
        ConvInteger 2-4 1-1 auto_pad:s dilations:is group:i kernel_shape:is pads:is strides:is
        ConvTranspose 2-3 1-1 auto_pad:s dilations:is group:i kernel_shape:is output_padding:is output_shape:is pads:is strides:is
        Cos 1-1 1-1
        Cosh 1-1 1-1
        CumProd 2-2 1-1 exclusive:b reverse:b
        CumSum 2-2 1-1 exclusive:b reverse:b
        DFT 1-3 1-1 axis:i inverse:b onesided:b
        DeformConv 3-5 1-1 dilations:is group:i kernel_shape:is offset_group:i pads:is strides:is
        DepthToSpace 1-1 1-1 blocksize:i! mode:s
        DequantizeLinear 2-3 1-1 axis:i block_size:i output_dtype:i
        Det 1-1 1-1
        Div 2-2 1-1
        Dropout 1-3 1-2 ratio:f seed:i
        DynamicQuantizeLinear 1-1 3-3
        Einsum 1-* 1-1 equation:s!
        Elu 1-1 1-1 alpha:f
        Equal 2-2 1-1
        Erf 1-1 1-1
        Exp 1-1 1-1
        Expand 2-2 1-1
        EyeLike 1-1 1-1 dtype:i k:i
        Flatten 1-1 1-1 axis:i
        Floor 1-1 1-1
        GRU 3-6 0-2 activation_alpha:fs activation_beta:fs activations:ss clip:f direction:s hidden_size:i layout:b linear_before_reset:b
        Gather 2-2 1-1 axis:i
        GatherElements 2-2 1-1 axis:i
        GatherND 2-2 1-1 batch_dims:i
        Gelu 1-1 1-1 approximate:s
        Gemm 2-3 1-1 alpha:f beta:f transA:b transB:b
        GlobalAveragePool 1-1 1-1
        GlobalLpPool 1-1 1-1 p:i
        GlobalMaxPool 1-1 1-1
        Greater 2-2 1-1
        GreaterOrEqual 2-2 1-1
        GridSample 2-2 1-1 align_corners:b mode:s padding_mode:s
        GroupNormalization 3-3 1-1 epsilon:f num_groups:i! stash_type:i
        HammingWindow 1-1 1-1 output_datatype:i periodic:b
        HannWindow 1-1 1-1 output_datatype:i periodic:b
        HardSigmoid 1-1 1-1 alpha:f beta:f
        HardSwish 1-1 1-1
        Hardmax 1-1 1-1 axis:i
        Identity 1-1 1-1
        If 1-1 1-* else_branch:g! then_branch:g!
        ImageDecoder 1-1 1-1 pixel_format:s
        InstanceNormalization 3-3 1-1 epsilon:f
        IsInf 1-1 1-1 detect_negative:b detect_positive:b
        IsNaN 1-1 1-1
        LRN 1-1 1-1 alpha:f beta:f bias:f size:i!
        LSTM 3-8 0-3 activation_alpha:fs activation_beta:fs activations:ss clip:f direction:s hidden_size:i input_forget:b layout:b
        LayerNormalization 2-3 1-3 axis:i epsilon:f stash_type:i
        LeakyRelu 1-1 1-1 alpha:f
        Less 2-2 1-1
        LessOrEqual 2-2 1-1
        LinearAttention 3-6 2-2 chunk_size:i kv_num_heads:i! q_num_heads:i! scale:f update_rule:s
        Log 1-1 1-1
        LogSoftmax 1-1 1-1 axis:i
        Loop 0-* 1-* body:g!
        LpNormalization 1-1 1-1 axis:i p:i
        LpPool 1-1 1-1 auto_pad:s ceil_mode:b dilations:is kernel_shape:is! p:i pads:is strides:is
        MatMul 2-2 1-1
        MatMulInteger 2-4 1-1
        Max 1-* 1-1
        MaxPool 1-1 1-2 auto_pad:s ceil_mode:b dilations:is kernel_shape:is! pads:is storage_order:b strides:is
        MaxRoiPool 2-2 1-1 pooled_shape:is! spatial_scale:f
        MaxUnpool 2-3 1-1 kernel_shape:is! pads:is strides:is
        Mean 1-* 1-1
        MeanVarianceNormalization 1-1 1-1 axes:is
        MelWeightMatrix 5-5 1-1 output_datatype:i
        Min 1-* 1-1
        Mish 1-1 1-1
        Mod 2-2 1-1 fmod:b
        Mul 2-2 1-1
        Multinomial 1-1 1-1 dtype:i sample_size:i seed:f
        Neg 1-1 1-1
        NegativeLogLikelihoodLoss 2-3 1-1 ignore_index:i reduction:s
        NonMaxSuppression 2-5 1-1 center_point_box:b
        NonZero 1-1 1-1
        Not 1-1 1-1
        OneHot 3-3 1-1 axis:i
        Optional 0-1 1-1 type:tp
        OptionalGetElement 1-1 1-1
        OptionalHasElement 0-1 1-1
        Or 2-2 1-1
        PRelu 2-2 1-1
        Pad 1-4 1-1 mode:s pads:is value:f
        Pow 2-2 1-1
        QLinearConv 8-9 1-1 auto_pad:s dilations:is group:i kernel_shape:is pads:is strides:is
        QLinearMatMul 8-8 1-1
        QuantizeLinear 2-3 1-1 axis:i block_size:i output_dtype:i precision:i saturate:b
        RMSNormalization 2-2 1-1 axis:i epsilon:f stash_type:i
        RNN 3-6 0-2 activation_alpha:fs activation_beta:fs activations:ss clip:f direction:s hidden_size:i layout:b
        RandomNormal 0-0 1-1 dtype:i mean:f scale:f seed:f shape:is!
        RandomNormalLike 1-1 1-1 dtype:i mean:f scale:f seed:f
        RandomUniform 0-0 1-1 dtype:i high:f low:f seed:f shape:is!
        RandomUniformLike 1-1 1-1 dtype:i high:f low:f seed:f
        Range 3-3 1-1 stash_type:i
        Reciprocal 1-1 1-1
        ReduceL1 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceL2 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceLogSum 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceLogSumExp 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceMax 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceMean 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceMin 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceProd 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceSum 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        ReduceSumSquare 1-2 1-1 axes:is keepdims:b noop_with_empty_axes:b
        RegexFullMatch 1-1 1-1 pattern:s
        Relu 1-1 1-1
        Reshape 2-2 1-1 allowzero:b
        Resize 1-4 1-1 antialias:b axes:is coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:b extrapolation_value:f
            keep_aspect_ratio_policy:s mode:s nearest_mode:s
        ReverseSequence 2-2 1-1 batch_axis:i time_axis:i
        RoiAlign 3-3 1-1 coordinate_transformation_mode:s mode:s output_height:i output_width:i sampling_ratio:i spatial_scale:f
        RotaryEmbedding 3-4 1-1 interleaved:b num_heads:i rotary_embedding_dim:i
        Round 1-1 1-1
        STFT 2-4 1-1 onesided:b
        Scan 0-* 1-* body:g! directions:is num_scan_inputs:i! scan_input_axes:is scan_input_directions:is scan_output_axes:is
            scan_output_directions:is
        Scatter 3-3 1-1 axis:i
        ScatterElements 3-3 1-1 axis:i reduction:s
        ScatterND 3-3 1-1 reduction:s
        Selu 1-1 1-1 alpha:f gamma:f
        SequenceAt 2-2 1-1
        SequenceConstruct 1-* 1-1
        SequenceEmpty 0-0 1-1 dtype:i
        SequenceErase 1-2 1-1
        SequenceInsert 2-3 1-1
        SequenceLength 1-1 1-1
        SequenceMap 1-* 1-* body:g!
        Shape 1-1 1-1 end:i start:i
        Shrink 1-1 1-1 bias:f lambd:f
        Sigmoid 1-1 1-1
        Sign 1-1 1-1
        Sin 1-1 1-1
        Sinh 1-1 1-1
        Size 1-1 1-1
        Slice 1-5 1-1 axes:is ends:is starts:is
        Softmax 1-1 1-1 axis:i
        SoftmaxCrossEntropyLoss 2-3 1-2 ignore_index:i reduction:s
        Softplus 1-1 1-1
        Softsign 1-1 1-1
        SpaceToDepth 1-1 1-1 blocksize:i!
        Split 1-2 1-* axis:i num_outputs:i split:is
        SplitToSequence 1-2 1-1 axis:i keepdims:b
        Sqrt 1-1 1-1
        Squeeze 1-2 1-1 axes:is
        StringConcat 2-2 1-1
        StringNormalizer 1-1 1-1 case_change_action:s is_case_sensitive:i locale:s stopwords:ss
        StringSplit 1-1 2-2 delimiter:s maxsplit:i
        Sub 2-2 1-1
        Sum 1-* 1-1
        SwiGLU 2-2 1-1 alpha:f
        Swish 1-1 1-1 alpha:f
        Tan 1-1 1-1
        Tanh 1-1 1-1
        TensorScatter 2-3 1-1 axis:i mode:s
        TfIdfVectorizer 1-1 1-1 max_gram_length:i! max_skip_count:i! min_gram_length:i! mode:s! ngram_counts:is! ngram_indexes:is! pool_int64s:is
            pool_strings:ss weights:fs
        ThresholdedRelu 1-1 1-1 alpha:f
        Tile 2-2 1-1
        TopK 1-2 2-2 axis:i k:i largest:b sorted:b
        Transpose 1-1 1-1 perm:is
        Trilu 1-2 1-1 upper:b
        Unique 1-1 1-4 axis:i sorted:b
        Unsqueeze 1-2 1-1 axes:is
        Upsample 1-2 1-1 mode:s scales:fs
        Where 3-3 1-1
        Xor 2-2 1-1
        """;

    private static readonly FrozenDictionary<string, Signature> s_signatures = Table.ReplaceLineEndings("\n").Replace("\n    ", " ", StringComparison.Ordinal)
        .Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToFrozenDictionary(words => words[0], Parse);

    /// <summary>Their names.</summary>
    public static IEnumerable<string> All => s_signatures.Keys;

    /// <summary>What the standard says of an operator; null for one that it does not have.</summary>
    public static Signature? Find(string name) => s_signatures.GetValueOrDefault(name);

    private static Signature Parse(string[] words)
    {
        var attributes = words.Skip(3).Select(word => word.Split(':')).ToFrozenDictionary(parts => parts[0], parts => s_types[parts[1].TrimEnd('!')]);
        return new(Arity(words[1]), Arity(words[2]), attributes, Names(words, "!"), Names(words, ":b"));
    }

    private static string[] Names(string[] words, string end)
        => [.. words.Skip(3).Where(word => word.EndsWith(end, StringComparison.Ordinal)).Select(word => word[..word.IndexOf(':')])];

    private static (int Required, int Most) Arity(string text)
    {
        var ends = text.Split('-');
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), ends[1] == "*" ? int.MaxValue : int.Parse(ends[1], CultureInfo.InvariantCulture));
    }

    /// <summary>What an operator may have.</summary>
    /// <param name="Inputs">How many of its first inputs have to be there, and how many there may be.</param>
    /// <param name="Outputs">The same of its outputs.</param>
    /// <param name="Attributes">Their types by name.</param>
    /// <param name="Required">Those it cannot be without.</param>
    /// <param name="Truths">Those that are 0 or 1.</param>
    internal sealed record Signature((int Required, int Most) Inputs, (int Required, int Most) Outputs, FrozenDictionary<string, AttributeType> Attributes,
        string[] Required, string[] Truths);
}
