using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Cli;

[TestClass]
public class OpenSizeTests
{
    [TestMethod]
    public void Sizes_that_a_model_leaves_open_are_given_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("sizes");
        try
        {
            var (model, small) = (Case.File("rope_only"), Path.Combine(folder.FullName, "small.onnx"));
            var open = CliProcess.Json(0, "inspect", model).GetProperty("total");
            Assert.AreEqual("8,480 time + 64 time^2", open.GetProperty("multiplyAddsFormula").GetString());
            Assert.IsFalse(open.TryGetProperty("multiplyAdds", out _), "there is no number");
            Assert.AreEqual(91_200, CliProcess.Json(0, "inspect", model, "--size", "time=10").GetProperty("total").GetProperty("multiplyAdds").GetInt64());

            // Of the share of multiply-adds there is none until the length is known.
            var refused = CliProcess.Run("prune", model, "-o", small, "--target", "multiply-adds");
            Assert.AreNotEqual(0, refused.ExitCode);
            StringAssert.Contains(refused.Errors, "8,480 time + 64 time^2");
            Assert.IsFalse(File.Exists(small));
            CliProcess.Json(0, "prune", model, "-o", small, "--target", "multiply-adds", "--size", "time=10");
            CollectionAssert.AreEqual(new[] { -1, 10, 6 }, Network.FromOnnx(small).Input.Shape.ToArray());

            CliProcess.Json(0, "prune", model, "-o", small);
            foreach (var length in new[] { "1", "12" })
            {
                Assert.AreEqual(0, CliProcess.Run("verify", small, model, "--masked", "--size", $"time={length}").ExitCode);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void A_size_that_is_none_or_of_no_dimension_is_refused()
    {
        var model = Case.File("rope_only");
        foreach (var (arguments, expected) in new (string[], string)[]
        {
            (["inspect", model, "--size", "steps=4"], "those it leaves open: batch, time"),
            (["verify", model, model, "--size", "steps=4"], "those it leaves open: batch, time"),
            (["inspect", model, "--size", "time"], "--size is 'time'; expected the name of an open dimension"),
            (["inspect", model, "--size", "time=0"], "--size is 'time=0'"),
            (["inspect", model, "--size", "time=3", "--size", "time=4"], "--size gives 'time' twice"),
        })
        {
            var (code, _, errors) = CliProcess.Run(arguments);
            Assert.AreNotEqual(0, code);
            StringAssert.Contains(errors, expected);
        }
    }
}
