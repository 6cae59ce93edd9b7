using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune evaluate on what is found in images: a network that finds what its rows say, and precisions by hand.</summary>
[TestClass]
public class DetectionTests
{
    private const string Truths = """
        {"images": [{"id": 42}, {"id": 41}], "categories": [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}],
         "annotations": [{"image_id": 42, "category_id": 7, "bbox": [10, 10, 40, 30], "area": 900, "iscrowd": 0},
                         {"image_id": 41, "category_id": 3, "bbox": [0, 0, 20, 20]}]}
        """;

    /// <summary>Two boxes by their corners, and the scores of both classes for each.</summary>
    private static readonly string[] s_rows = ["10,10,50,40,0,0,20,20,0.9,0.1,0.2,0.85", "10,10,50,40,0,0,20,20,0.5,0.1,0.2,0.8"];

    [TestMethod]
    public void Precision_is_what_it_comes_to_by_hand()
    {
        using var files = new CliFiles();
        var (model, rows, truths) = Write(files);
        double Measure(string metric, params string[] more) => CliProcess.Json(0, ["evaluate", model, "--data", rows, "--objects", truths, "--metrics", metric,
            .. more]).GetProperty("models")[0].GetProperty("metrics")[0].GetProperty("value").GetDouble();
        // The cat is the surest of cats; of the two dogs the surer one is where none is, so that every recall of dogs has a precision of a half.
        Assert.AreEqual((1 + 0.5) / 2, Measure("mAP"), 1e-9);
        Assert.AreEqual((1 + 0.5) / 2, Measure("mAP@0.9"), 1e-9);
        Assert.AreEqual((1 + 0.5) / 2, Measure("mAP-small"), 1e-9, "900 and 400 pixels");
        // The cat's box is then 50 x 40, of which the cat is 0.6: found at three of ten overlaps.
        Assert.AreEqual((0.3 + 0.5) / 2, Measure("mAP", "--box-format", "corner-size"), 1e-9);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_by_name()
    {
        using var files = new CliFiles();
        var (model, rows, truths) = Write(files);
        string Error(int code, params string[] more) => CliProcess.Json(code, ["evaluate", model, .. more]).GetProperty("error").GetString()!;
        StringAssert.Contains(Error(2, "--data", rows, "--metrics", "mAP"), "--objects");
        StringAssert.Contains(Error(2, "--objects", truths), "--data");
        StringAssert.Contains(Error(2, "--data", rows, "--objects", truths, "--metrics", "mAP@2"), "mAP@2");
        StringAssert.Contains(Error(2, "--data", rows, "--label", "a", "--scores", "s"), "--objects");
        StringAssert.Contains(Error(1, "--data", rows, "--objects", truths, "--metrics", "mAP", "--scores", "s"), "boxes, scores");
        StringAssert.Contains(Error(1, "--data", rows, "--objects", truths, "--metrics", "mAP", "--classes", "scores"), "4 classes");
        StringAssert.Contains(Error(1, "--data", rows, "--objects", files.Write("few.json", Truths.Replace("""{"id": 42}, ""","").Replace("42", "41")),
            "--metrics", "mAP"), "row 2");
        foreach (var (wrong, right, message) in new[]
        {
            ("\"image_id\": 41", "\"image_id\": 40", "annotation 1: image_id is 40"), ("[0, 0, 20, 20]", "[0, 0, 20]", "annotation 1: bbox"),
            ("\"category_id\": 7", "\"class\": 7", "annotation 0: there is no 'category_id'"), ("{\"id\": 41}", "{\"id\": 42}", "42 is there twice"),
            ("[0, 0, 20, 20]", "[0, 0, -2, 20]", "annotation 1"), ("\"images\"", "\"pictures\"", "'images'"), ("]}", "", "COCO"),
        })
        {
            StringAssert.Contains(Error(1, "--data", rows, "--objects", files.Write("wrong.json", Truths.Replace(wrong, right)), "--metrics", "mAP"), message);
        }
    }

    private static (string Model, string Rows, string Truths) Write(CliFiles files)
    {
        var model = Model(Op("Split", ["x", "sizes"], ["b", "s"], ("axis", 1L)), Op("Reshape", ["b", "each"], ["boxes"]),
            Op("Reshape", ["s", "pairs"], ["scores"]));
        model.Graph.Input[0] = Value("x", 12);
        model.Graph.Output[0] = Value("boxes", 2, 4);
        model.Graph.Output.Add(Value("scores", 2, 2));
        model.Graph.Initializer.AddRange([OnnxTensor.FromLongs("sizes", [2], [8, 4]), OnnxTensor.FromLongs("each", [3], [0, 2, 4]),
            OnnxTensor.FromLongs("pairs", [3], [0, 2, 2])]);
        File.WriteAllBytes(files["find.onnx"], model.ToByteArray());
        return (files["find.onnx"], files.Write("rows.csv", ["a,b,c,d,e,f,g,h,i,j,k,l", .. s_rows]), files.Write("truths.json", Truths));
    }
}
