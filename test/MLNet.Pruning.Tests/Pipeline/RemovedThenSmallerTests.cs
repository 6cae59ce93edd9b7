using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Networks that lost structure and then took another form: what their files say of the removal has to fit what weights became.</summary>
[TestClass]
public class RemovedThenSmallerTests
{
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    [DataRow("Int8")]
    [DataRow("DynamicInt8")]
    [DataRow("Weights 4")]
    [DataRow("Weights 4, blocks")]
    [DataRow("Weights 8, blocks")]
    [DataRow("Ternary")]
    [DataRow("Binary")]
    [DataRow("Float16")]
    [DataRow("Codebook")]
    [DataRow("Product")]
    [DataRow("Mixed")]
    [DataRow("Factorize")]
    public void A_chain_that_removes_and_then_changes_the_form_of_weights_is_saved_and_loaded_with_the_same_scores(string form)
    {
        var data = Digits.Load(s_ml);
        var model = Fit(form, new() { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit, FineTuneEpochs = 0 }, data);
        AssertSameScores(model, Reload(model, data), data);

        var last = Last(model).Network;
        using var onnx = new MemoryStream();
        last.SaveOnnx(onnx);
        onnx.Position = 0;
        Assert.AreEqual(last.ParameterCount, Network.FromOnnx(onnx).ParameterCount);
        using var compressed = new MemoryStream();
        last.SaveCompressed(compressed);
        compressed.Position = 0;
        Assert.AreEqual(last.ParameterCount, Network.FromCompressed(compressed).ParameterCount);
    }

    [TestMethod]
    [DataRow("Int8")]
    [DataRow("DynamicInt8")]
    [DataRow("Weights 4")]
    [DataRow("Weights 4, blocks")]
    [DataRow("Weights 8, blocks")]
    [DataRow("Ternary")]
    [DataRow("Float16")]
    [DataRow("Codebook")]
    [DataRow("Mixed")]
    public void Masks_of_a_chain_that_is_saved_and_loaded_are_where_its_weights_are_zero(string form)
    {
        var data = Digits.Load(s_ml);
        var model = Fit(form, new() { Amount = Amount.Fraction(0.8), FineTuneEpochs = 0 }, data);
        var loaded = Last(Reload(model, data));
        Assert.HasCount(3, loaded.Masks);
        foreach (var (name, mask) in loaded.Masks)
        {
            var values = loaded.Network[name].Values;
            for (var i = 0; i < values.Length; i++)
            {
                Assert.IsTrue(mask[i] || values[i] == 0, $"{name}[{i}] is pruned and {values[i]}");
            }
        }
    }

    private static TransformerChain<NeuralNetworkTransformer> Fit(string form, PruningOptions pruning, IDataView data)
    {
        var chain = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Epochs = 1, ValidationFraction = 0.2,
            Network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(48), Layer.Relu(),
                Layer.Dense(10)) })).Append(s_ml.Transforms.Prune(pruning));
        return form == "Factorize" ? chain.Append(s_ml.Transforms.Factorize(new FactorizationOptions { Rank = Rank.Energy(0.5) })).Fit(data)
            : chain.Append(s_ml.Transforms.Quantize(Quantizers[form])).Fit(data);
    }

    private static ITransformer Reload(ITransformer model, IDataView data)
    {
        using var file = new MemoryStream();
        s_ml.Compression().Save(model, data.Schema, file);
        file.Position = 0;
        return s_ml.Compression().Load(file, out _);
    }

    private static NeuralNetworkTransformer Last(ITransformer model) => ((IEnumerable<ITransformer>)model).OfType<NeuralNetworkTransformer>().Last();

    private static Dictionary<string, Quantizer> Quantizers { get; } = new()
    {
        ["Int8"] = Quantizer.Int8(), ["DynamicInt8"] = Quantizer.DynamicInt8(), ["Weights 4"] = Quantizer.Weights(4),
        ["Weights 4, blocks"] = Quantizer.Weights(4, block: 16), ["Weights 8, blocks"] = Quantizer.Weights(8, block: 16), ["Ternary"] = Quantizer.Ternary,
        ["Binary"] = Quantizer.Binary, ["Float16"] = Quantizer.Float16, ["Codebook"] = Quantizer.Codebook(3), ["Product"] = Quantizer.Product(16, 4),
        ["Mixed"] = Quantizer.Mixed(Budget.Bytes(13000), [Quantizer.DynamicInt8(), Quantizer.Weights(4, block: 16)]),
    };

    private static void AssertSameScores(ITransformer model, ITransformer loaded, IDataView data)
    {
        var (before, after) = (model.Transform(data).GetColumn<float[]>("Score"), loaded.Transform(data).GetColumn<float[]>("Score"));
        foreach (var (one, other) in before.Zip(after))
        {
            CollectionAssert.AreEqual(one, other);
        }
    }
}
