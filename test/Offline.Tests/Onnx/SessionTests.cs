using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Offline.Tests.Onnx;

[TestClass]
public sealed class SessionTests
{
    // Of linear.onnx: x * [[1, -1], [2, 0.5], [-3, 4]] + [0.25, -2].
    private static readonly float[] Rows = [1, 2, 3, -1, 0.5f, 0];
    private static readonly float[] Scores = [1 + 4 - 9 + 0.25f, -1 + 1 + 12 - 2, -1 + 1 + 0.25f, 1 + 0.25f - 2];

    [TestMethod]
    public void Scores_are_those_computed_by_hand()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>(Rows, [2, 3]))]);
        Assert.HasCount(2, results);
        Assert.AreEqual("Score", results[0].Name);
        Assert.AreEqual(TensorElementType.Float, results[0].ElementType);
        Tensor<float> scores = results[0].AsTensor<float>()!;
        CollectionAssert.AreEqual(new[] { 2, 2 }, scores.Dimensions.ToArray());
        CollectionAssert.AreEqual(Scores, scores.ToArray());
        Assert.AreEqual(Scores[3], scores[1, 1]);
        Assert.IsNull(results[0].AsTensor<double>());

        Tensor<float> probabilities = results[1].AsTensor<float>()!;
        for (int row = 0; row < 2; row++)
        {
            double ratio = Math.Exp(Scores[2 * row + 1] - Scores[2 * row]);
            Assert.AreEqual(1 / (1 + ratio), probabilities[row, 0], 1e-6);
            Assert.AreEqual(ratio / (1 + ratio), probabilities[row, 1], 1e-6);
        }
    }

    [TestMethod]
    public void A_model_says_what_it_is()
    {
        using var session = new InferenceSession(Fixture.Bytes("linear.onnx"));
        CollectionAssert.AreEqual(new[] { "Features" }, session.InputNames.ToArray());
        CollectionAssert.AreEqual(new[] { "Score", "Probabilities.output" }, session.OutputNames.ToArray());
        NodeMetadata features = session.InputMetadata["Features"];
        Assert.IsTrue(features.IsTensor);
        Assert.AreEqual(OnnxValueType.ONNX_TYPE_TENSOR, features.OnnxValueType);
        Assert.AreEqual(typeof(float), features.ElementType);
        Assert.AreEqual(TensorElementType.Float, features.ElementDataType);
        CollectionAssert.AreEqual(new[] { -1, 3 }, features.Dimensions);
        CollectionAssert.AreEqual(new[] { "batch", "" }, features.SymbolicDimensions);

        ModelMetadata metadata = session.ModelMetadata;
        Assert.AreEqual("fixtures", metadata.ProducerName);
        Assert.AreEqual("linear", metadata.GraphName);
        Assert.AreEqual("example.org", metadata.Domain);
        Assert.AreEqual("A fixture", metadata.Description);
        Assert.AreEqual(3, metadata.Version);
        Assert.HasCount(2, metadata.CustomMetadataMap);
        Assert.AreEqual("0,2", metadata.CustomMetadataMap["kept"]);
    }

    [TestMethod]
    public void Values_go_in_and_out_without_copies()
    {
        using var session = new InferenceSession(Fixture.Bytes("linear.onnx"));
        using var options = new RunOptions();
        float[] rows = [.. Rows];
        float[] scores = new float[4];
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(rows, [2, 3]);
        using OrtValue output = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, scores.AsMemory(), [2, 2]);
        session.Run(options, ["Features"], [input], ["Score"], [output]);
        CollectionAssert.AreEqual(Scores, scores);

        rows.AsSpan().Clear();
        session.Run(options, ["Features"], [input], ["Score"], [output]);
        CollectionAssert.AreEqual(new[] { 0.25f, -2, 0.25f, -2 }, scores);

        input.GetTensorMutableDataAsSpan<float>()[0] = 1;
        Assert.AreEqual(1f, rows[0]);
        using var results = session.Run(options, new Dictionary<string, OrtValue> { ["Features"] = input }, ["Score"]);
        CollectionAssert.AreEqual(new[] { 1.25f, -3, 0.25f, -2 }, results[0].GetTensorDataAsSpan<float>().ToArray());
        OrtTensorTypeAndShapeInfo info = results[0].GetTensorTypeAndShape();
        Assert.AreEqual(TensorElementType.Float, info.ElementDataType);
        Assert.AreEqual(4, info.ElementCount);
        CollectionAssert.AreEqual(new long[] { 2, 2 }, info.Shape);

        using OrtValue allocated = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, 3]);
        new float[] { 1, 2, 3 }.CopyTo(allocated.GetTensorMutableDataAsSpan<float>());
        using var one = session.Run(options, ["Features"], [allocated], ["Score"]);
        CollectionAssert.AreEqual(Scores[..2], one[0].GetTensorDataAsSpan<float>().ToArray());

        float[] named = new float[4];
        session.Run(
            [NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>(Rows, [2, 3]))],
            [NamedOnnxValue.CreateFromTensor("Score", new DenseTensor<float>(named, [2, 2]))]);
        CollectionAssert.AreEqual(Scores, named);
    }

    [TestMethod]
    public void No_rows_are_rows_too()
    {
        using var session = new InferenceSession(Fixture.Bytes("linear.onnx"));
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>([0, 3]))]);
        CollectionAssert.AreEqual(new[] { 0, 2 }, results[0].AsTensor<float>()!.Dimensions.ToArray());
        Assert.AreEqual(0, results[0].AsTensor<float>()!.Length);
    }

    [TestMethod]
    public void Every_type_comes_back()
    {
        using var session = new InferenceSession(Fixture.Path("types.onnx"));
        using var results = session.Run(
        [
            Pair("FLOAT", 1.5f, -2f),
            Pair("DOUBLE", 1e-300, -2.0),
            Pair("INT64", long.MinValue, 7L),
            Pair("INT32", int.MinValue, 7),
            Pair<short>("INT16", short.MinValue, 7),
            Pair<sbyte>("INT8", sbyte.MinValue, 7),
            Pair("UINT64", ulong.MaxValue, 7UL),
            Pair("UINT32", uint.MaxValue, 7U),
            Pair<ushort>("UINT16", ushort.MaxValue, 7),
            Pair<byte>("UINT8", byte.MaxValue, 7),
            Pair("BOOL", true, false),
            Pair("STRING", "Grüße", ""),
            Pair("FLOAT16", (Float16)0.1f, (Float16)(-65504f)),
            Pair("BFLOAT16", (BFloat16)0.1f, (BFloat16)(-3e38f)),
        ]);
        Came("FLOAT", 1.5f, -2f);
        Came("DOUBLE", 1e-300, -2.0);
        Came("INT64", long.MinValue, 7L);
        Came("INT32", int.MinValue, 7);
        Came<short>("INT16", short.MinValue, 7);
        Came<sbyte>("INT8", sbyte.MinValue, 7);
        Came("UINT64", ulong.MaxValue, 7UL);
        Came("UINT32", uint.MaxValue, 7U);
        Came<ushort>("UINT16", ushort.MaxValue, 7);
        Came<byte>("UINT8", byte.MaxValue, 7);
        Came("BOOL", true, false);
        Came("STRING", "Grüße", "");

        // The nearest half to 0.1 is 0x2E66, the nearest bfloat16 0x3DCD.
        Came("FLOAT16", new Float16(0x2E66), new Float16(0xFBFF));
        Came("BFLOAT16", new BFloat16(0x3DCD), (BFloat16)(-3e38f));
        Assert.AreEqual(0.1f, new BFloat16(0x3DCD).ToFloat(), 0.001f);

        NamedOnnxValue Pair<T>(string name, T first, T second) =>
            NamedOnnxValue.CreateFromTensor(name + "_in", new DenseTensor<T>(new[] { first, second }, [1, 2]));

        void Came<T>(string name, T first, T second) =>
            CollectionAssert.AreEqual(new[] { first, second }, results.Single(result => result.Name == name).AsTensor<T>()!.ToArray(), name);
    }

    [TestMethod]
    public void Tensors_are_indexed_by_their_strides()
    {
        var tensor = new DenseTensor<float>(new float[] { 1, 2, 3, 4, 5, 6 }, [2, 3]);
        Assert.AreEqual(6f, tensor[1, 2]);
        CollectionAssert.AreEqual(new[] { 3, 1 }, tensor.Strides.ToArray());
        Assert.AreEqual(4f, tensor.Reshape([3, 2])[1, 1]);

        // Column by column.
        var reversed = new DenseTensor<float>(new float[] { 1, 4, 2, 5, 3, 6 }, [2, 3], reverseStride: true);
        Assert.AreEqual(6f, reversed[1, 2]);
        Assert.AreEqual(2f, reversed[0, 1]);
        Assert.IsTrue(reversed.ToDenseTensor().IsReversedStride);
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        Assert.ThrowsExactly<NotSupportedException>(() => session.Run([NamedOnnxValue.CreateFromTensor("Features", reversed)]));
    }

    [TestMethod]
    public void Weights_beside_a_model_are_found()
    {
        using var session = new InferenceSession(Fixture.Path("external.onnx"));
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("x", new DenseTensor<float>(new float[] { 10, 1 }, [1, 2]))]);
        CollectionAssert.AreEqual(new float[] { 13, 24 }, results[0].AsTensor<float>()!.ToArray());
    }

    [TestMethod]
    public void Options_reach_the_runtime()
    {
        using var file = new Core.TemporaryFile();
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_PARALLEL,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            EnableMemoryPattern = false,
            EnableCpuMemArena = false,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            LogId = "test",
            OptimizedModelFilePath = file.Path,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddFreeDimensionOverrideByName("batch", 2);
        using var session = new InferenceSession(Fixture.Path("linear.onnx"), options);
        CollectionAssert.AreEqual(new[] { 2, 3 }, session.InputMetadata["Features"].Dimensions);
        using var written = new InferenceSession(file.Path);
        CollectionAssert.AreEqual(new[] { "Features" }, written.InputNames.ToArray());
    }
}
