using Google.Protobuf;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Networks.Onnx;

namespace MLNet.Pruning.Tests.Hostile;

[TestClass]
public sealed class ErrorTextTests
{
    [TestMethod]
    public void What_fits_stays_as_it_is()
    {
        var message = new string('a', 400);
        Assert.AreEqual(message, ErrorText.Fit(message));
    }

    [TestMethod]
    public void Names_of_any_length_leave_room_for_the_file_and_the_problem()
    {
        var file = "/data/" + new string('f', 5000) + "/model.onnx";
        var name = new string('n', 100_000);
        var message = ErrorText.Fit($"{file}: node '{name} {name}' (Conv) reads '{name}', which nothing writes.");
        Assert.IsLessThanOrEqualTo(400, message.Length);
        StringAssert.StartsWith(message, "/data/");
        StringAssert.Contains(message, "model.onnx: node '");
        StringAssert.Contains(message, "(Conv) reads '");
        StringAssert.EndsWith(message, ", which nothing writes.");
    }

    [TestMethod]
    public void A_list_of_any_length_is_cut_in_its_middle()
    {
        var message = ErrorText.Fit($"m.onnx: it has the axes {string.Join(", ", Enumerable.Range(0, 100_000))}; expected 2.");
        Assert.IsLessThanOrEqualTo(400, message.Length);
        StringAssert.StartsWith(message, "m.onnx: it has the axes 0, 1, 2");
        StringAssert.EndsWith(message, "99999; expected 2.");
    }

    [TestMethod]
    public void Characters_of_two_halves_stay_whole()
    {
        for (var shift = 0; shift < 4; shift++)
        {
            var message = ErrorText.Fit("m: " + new string('x', shift) + string.Concat(Enumerable.Repeat("😀 ", 500)));
            Assert.IsLessThanOrEqualTo(400, message.Length);
            // Half a character becomes another one on its way through UTF-8.
            Assert.AreEqual(message, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(message)));
        }
    }

    [TestMethod]
    public void A_file_is_named_whatever_is_namein_it()
    {
        var name = new string('n', 50_000);
        foreach (var change in new Action<ModelProto>[]
        {
            model => model.Graph.Node[0].Input[0] = name,
            model => model.Graph.Node[0].Name = model.Graph.Node[0].Input[0] = name,
            model => (model.Graph.Node[0].OpType, model.Graph.Node[0].Input[0]) = (name, "ghost"),
            model => model.Graph.Output[0].Name = name,
            model => model.Graph.Name = model.Graph.Output[0].Name = name,
            model => model.Graph.Initializer[0].Dims.AddRange(Enumerable.Repeat(2L, 1000)),
            model => model.OpsetImport[0].Version = 99,
        })
        {
            var model = OnnxModels.Small();
            change(model);
            var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(model.ToByteArray(), "model.onnx")).Message;
            Assert.IsLessThanOrEqualTo(400, message.Length);
            StringAssert.StartsWith(message, "model.onnx");
        }
    }
}
