using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>Which rows count as missing in a network that rounds.</summary>
[TestClass]
public class MissingValueScorerTests
{
    [TestMethod]
    public void Rows_with_a_NaN_count_wherever_it_is_and_infinities_do_not()
    {
        const int Width = 37;
        var network = Network.Mlp(Width, 3).Initialize(1).Quantize(Quantizer.DynamicInt8());
        using var plain = Scorer.Create(network, softmax: false, batch: 1);
        using var scorer = MissingValueScorer.Of(plain, network);
        Assert.AreNotSame(plain, scorer);
        for (var place = 0; place < Width; place++)
        {
            Array.Fill(scorer.Rows, 1f);
            scorer.Rows[place] = float.NaN;
            scorer.Run(1);
            Assert.IsTrue(scorer.Scores(0).ToArray().All(float.IsNaN), $"NaN at {place}");
        }

        // What the network makes of them is its own affair.
        Array.Fill(scorer.Rows, 1f);
        (scorer.Rows[2], scorer.Rows[30]) = (float.PositiveInfinity, float.NegativeInfinity);
        scorer.Run(1);
        var found = scorer.Scores(0).ToArray();
        Assert.AreEqual(float.PositiveInfinity, scorer.Rows[2], "the row was taken for one with a NaN");
        plain.Run(1);
        CollectionAssert.AreEqual(plain.Scores(0).ToArray(), found);
    }

    [TestMethod]
    public void A_network_of_floats_is_scored_as_it_is()
    {
        var network = Network.Mlp(4, 3).Initialize(1);
        using var plain = Scorer.Create(network, softmax: false, batch: 1);
        Assert.AreSame(plain, MissingValueScorer.Of(plain, network));
    }
}
