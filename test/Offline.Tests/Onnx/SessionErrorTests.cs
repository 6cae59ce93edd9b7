using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Offline.Tests.Onnx;

[TestClass]
public sealed class SessionErrorTests
{
    private static readonly RunOptions Options = new();

    [TestMethod]
    public void Models_that_are_none_are_refused()
    {
        StringAssert.StartsWith(
            Assert.ThrowsExactly<OnnxRuntimeException>(() => new InferenceSession(Fixture.Path("absent.onnx"))).Message, "[ErrorCode:NoSuchFile] ");
        StringAssert.StartsWith(Assert.ThrowsExactly<OnnxRuntimeException>(() => new InferenceSession([1, 2, 3])).Message, "[ErrorCode:InvalidProtobuf] ");
        Assert.ThrowsExactly<OnnxRuntimeException>(() => new InferenceSession(Array.Empty<byte>()));
        Assert.ThrowsExactly<ArgumentNullException>(() => new InferenceSession((byte[])null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => new InferenceSession((string)null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => new InferenceSession(Fixture.Path("linear.onnx"), (SessionOptions)null!));

        // The weights of this one are in a file that bytes do not lead to.
        Assert.ThrowsExactly<OnnxRuntimeException>(() => new InferenceSession(Fixture.Bytes("external.onnx")));
    }

    [TestMethod]
    public void Damaged_models_never_do_worse_than_throw()
    {
        byte[] model = Fixture.Bytes("linear.onnx");
        var random = new Random(1);
        for (int trial = 0; trial < 200; trial++)
        {
            byte[] damaged = trial % 2 == 0 ? model[..random.Next(model.Length)] : [.. model];
            if (damaged.Length > 0)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                using var session = new InferenceSession(damaged);
            }
            catch (OnnxRuntimeException e)
            {
                StringAssert.StartsWith(e.Message, "[ErrorCode:");
            }
        }
    }

    [TestMethod]
    public void Names_have_to_be_those_of_the_model()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        NamedOnnxValue features = Named("Features", 1, 3);
        Assert.AreEqual(
            "[ErrorCode:InvalidArgument] Input name: 'Labels' is not in the metadata",
            Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([Named("Labels", 1, 3)])).Message);
        Assert.AreEqual(
            "[ErrorCode:InvalidArgument] Output name: 'score' is not in the metadata",
            Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([features], ["score"])).Message);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([]));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([features], Array.Empty<string>()));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run(null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run([null!]));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run([features], new string[] { null! }));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run([features], ["Score"], (RunOptions)null!));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([NamedOnnxValue.CreateFromTensor<float>("Features", null!)]));

        // The same output twice is the same values twice.
        using var twice = session.Run([features], ["Score", "Score"]);
        CollectionAssert.AreEqual(twice[0].AsTensor<float>()!.ToArray(), twice[1].AsTensor<float>()!.ToArray());
    }

    [TestMethod]
    public void Inputs_have_to_fit()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        foreach (NamedOnnxValue wrong in new[] { Named("Features", 1, 4), Named("Features", 3), Named("Features", 1, 1, 3) })
        {
            StringAssert.StartsWith(Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([wrong])).Message, "[ErrorCode:InvalidArgument] ");
        }

        Assert.AreEqual(
            "[ErrorCode:InvalidArgument] Tensor element data type discovered: Double metadata expected: Float",
            Assert.ThrowsExactly<OnnxRuntimeException>(
                () => session.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<double>([1, 3]))])).Message);
        using OrtValue doubles = OrtValue.CreateTensorValueFromMemory(new double[3], [1, 3]);
        StringAssert.StartsWith(
            Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run(Options, ["Features"], [doubles], ["Score"])).Message,
            "[ErrorCode:InvalidArgument] ");
        Assert.ThrowsExactly<ArgumentException>(() => session.Run(Options, ["Features"], [doubles, doubles], ["Score"]));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run(Options, ["Features"], [null!], ["Score"]));
        Assert.ThrowsExactly<ArgumentNullException>(() => session.Run(null!, ["Features"], [doubles], ["Score"]));
    }

    [TestMethod]
    public void Outputs_have_to_fit()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(new float[6], [2, 3]);
        using OrtValue transposed = OrtValue.CreateTensorValueFromMemory(new float[4], [4, 1]);
        using OrtValue small = OrtValue.CreateTensorValueFromMemory(new float[2], [1, 2]);
        using OrtValue bytes = OrtValue.CreateTensorValueFromMemory(new byte[4], [2, 2]);
        foreach (OrtValue wrong in new[] { transposed, small, bytes })
        {
            Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run(Options, ["Features"], [input], ["Score"], [wrong]));
        }

        Assert.ThrowsExactly<ArgumentException>(() => session.Run(Options, ["Features"], [input], ["Score"], []));
        using OrtValue strings = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, [2, 2]);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run(Options, ["Features"], [input], ["Score"], [strings]));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run(Options, ["Features"], [strings], ["Score"]));
    }

    [TestMethod]
    public void Types_are_never_taken_for_one_another()
    {
        using var session = new InferenceSession(Fixture.Path("columns.onnx"));
        string[] outputs = [.. session.OutputNames];
        string[] inputs = [.. outputs.Select(output => output + "_in")];
        OrtValue[] values = [.. inputs.Select(input => Of(session.InputMetadata[input].ElementDataType))];
        session.Run(Options, inputs, values, outputs).Dispose();
        for (int i = 0; i < inputs.Length; i++)
        {
            for (int j = 0; j < inputs.Length; j++)
            {
                if (i != j)
                {
                    OrtValue[] swapped = [.. values];
                    swapped[i] = values[j];
                    Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run(Options, inputs, swapped, outputs), $"{inputs[j]} for {inputs[i]}");
                    Assert.ThrowsExactly<OnnxRuntimeException>(
                        () => session.Run(Options, inputs, values, [outputs[i]], [values[j]]), $"{outputs[j]} for {outputs[i]}");
                }
            }
        }

        static OrtValue Of(TensorElementType type) => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [1, 2]);
    }

    [TestMethod]
    public void One_value_may_be_input_and_output()
    {
        using var session = new InferenceSession(Fixture.Path("external.onnx"));
        float[] x = [10, 1];
        using OrtValue both = OrtValue.CreateTensorValueFromMemory(x, [1, 2]);
        session.Run(Options, ["x"], [both], ["y"], [both]);
        session.Run(Options, ["x", "x"], [both, both], ["y", "y"], [both, both]);
        Assert.IsTrue(x.All(float.IsFinite));
        Assert.AreEqual("", session.EndProfiling());
    }

    [TestMethod]
    public void Values_have_to_be_well_formed()
    {
        Assert.ThrowsExactly<OnnxRuntimeException>(() => OrtValue.CreateTensorValueFromMemory(new float[5], [2, 3]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => OrtValue.CreateTensorValueFromMemory(new float[5], [-1, 3]));
        Assert.ThrowsExactly<OverflowException>(() => OrtValue.CreateTensorValueFromMemory(new float[5], [long.MaxValue, 3]));
        foreach (long[] shape in new long[][] { [long.MaxValue, 3], [long.MaxValue / 8], [1L << 50], [-1] })
        {
            Assert.ThrowsExactly<OnnxRuntimeException>(
                () => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, shape), $"{shape[0]}");
        }

        Assert.ThrowsExactly<OnnxRuntimeException>(() => OrtValue.CreateTensorValueFromMemory(new char[5], [5]));
        Assert.ThrowsExactly<OnnxRuntimeException>(
            () => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)99, [5]));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => OrtValue.CreateTensorValueFromMemory<float>(null!, [1]));
        Assert.ThrowsExactly<ArgumentNullException>(() => OrtValue.CreateTensorValueFromMemory(new float[1], null!));
        Assert.ThrowsExactly<ArgumentException>(() => new DenseTensor<float>(new float[5], [2, 3]));
        Assert.ThrowsExactly<IndexOutOfRangeException>(() => new DenseTensor<float>([2, 3])[0, 3]);

        using OrtValue floats = OrtValue.CreateTensorValueFromMemory(new float[2], [2]);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => floats.GetTensorDataAsSpan<double>().Length);
        Assert.AreEqual(8, floats.GetTensorMutableRawData().Length);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => floats.GetStringElement(0));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => floats.StringTensorSetElementAt("x", 0));

        using OrtValue strings = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, [2]);
        strings.StringTensorSetElementAt("x", 1);
        CollectionAssert.AreEqual(new[] { "", "x" }, strings.GetStringTensorAsArray());
        Assert.ThrowsExactly<OnnxRuntimeException>(() => strings.GetTensorMutableRawData().Length);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => strings.GetStringElement(2));
        Assert.ThrowsExactly<OnnxRuntimeException>(() => strings.StringTensorSetElementAt("x", -1));
    }

    [TestMethod]
    public void A_sequence_is_not_a_tensor()
    {
        using var session = new InferenceSession(Fixture.Path("sequence.onnx"));
        NodeMetadata pair = session.OutputMetadata["pair"];
        Assert.AreEqual(OnnxValueType.ONNX_TYPE_SEQUENCE, pair.OnnxValueType);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => pair.Dimensions);
        Assert.ThrowsExactly<NotSupportedException>(() => session.Run([Named("x", 1, 2)]));
        using OrtValue x = OrtValue.CreateTensorValueFromMemory(new float[2], [1, 2]);
        using var results = session.Run(Options, ["x"], [x], ["pair"]);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => results[0].GetTensorDataAsSpan<float>().Length);
        Assert.ThrowsExactly<OnnxRuntimeException>(() => results[0].GetTensorTypeAndShape());
    }

    [TestMethod]
    public void A_terminated_run_throws_until_it_is_allowed_again()
    {
        using var session = new InferenceSession(Fixture.Path("linear.onnx"));
        using var options = new RunOptions { Terminate = true };
        Assert.ThrowsExactly<OnnxRuntimeException>(() => session.Run([Named("Features", 1, 3)], ["Score"], options));
        options.Terminate = false;
        using var results = session.Run([Named("Features", 1, 3)], ["Score"], options);
        Assert.HasCount(1, results);
    }

    [TestMethod]
    public void A_GPU_that_is_not_there_is_an_error() =>
        StringAssert.StartsWith(
            Assert.ThrowsExactly<OnnxRuntimeException>(() => SessionOptions.MakeSessionOptionWithCudaProvider(0)).Message, "[ErrorCode:");

    private static NamedOnnxValue Named(string name, params int[] dimensions) =>
        NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(dimensions));
}
