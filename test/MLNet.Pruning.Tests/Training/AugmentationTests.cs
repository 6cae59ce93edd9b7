using MLNet.Pruning.Data;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training;

[TestClass]
public class AugmentationTests
{
    [TestMethod]
    public void Every_shift_is_drawn_and_moves_pixels_as_a_loop_over_them_does()
    {
        // Two channels of 4 x 5, every value another.
        float[] image = [.. Enumerable.Range(1, 40).Select(value => (float)value)];
        var change = Augmentation.Shift(2).Bind(Network.Sequential([2, 4, 5], Layer.Conv2d(1, 3), Layer.Flatten(), Layer.Dense(2)), 7);
        var flat = Augmentation.Shift(2, 4, 5).Bind(Network.Mlp(40, 2), 7);
        var seen = new HashSet<string>();
        var all = (from down in Enumerable.Range(-2, 5) from right in Enumerable.Range(-2, 5) select string.Join(' ', Moved(image, down, right))).ToHashSet();
        Assert.AreEqual(25, all.Count);
        for (var i = 0; i < 500; i++)
        {
            var (room, other) = (new float[40], new float[40]);
            Array.Fill(room, -1);
            change(image, room);
            flat(image, other);
            CollectionAssert.AreEqual(room, other);
            Assert.Contains(string.Join(' ', room), all);
            seen.Add(string.Join(' ', room));
        }

        Assert.AreEqual(25, seen.Count);
    }

    [TestMethod]
    public void Training_sees_shifted_rows_and_measures_on_those_as_they_are()
    {
        var ml = new MLContext(1);
        var data = ml.Data.Cache(Digits.Load(ml));
        NeuralNetworkTransformer Fit(Augmentation? augmentation)
        {
            var options = Digits.Options(3) with { Augmentation = augmentation, Seed = 5 };
            return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(data).LastTransformer;
        }

        var (plain, shifted, again) = (Fit(null), Fit(Augmentation.Shift(1, 8, 8)), Fit(Augmentation.Shift(1, 8, 8)));
        CollectionAssert.AreEqual(shifted.Network["fc1.weight"].Values.ToArray(), again.Network["fc1.weight"].Values.ToArray());
        Assert.IsFalse(plain.Network["fc1.weight"].Values.SequenceEqual(shifted.Network["fc1.weight"].Values));
        // Shifted rows are harder: rows to measure on that were shifted too would not be so much easier.
        Assert.IsGreaterThan(plain.GetReport<TrainingReport>().Epochs[^1].Loss * 1.5, shifted.GetReport<TrainingReport>().Epochs[^1].Loss);
        Assert.IsLessThan(shifted.GetReport<TrainingReport>().Epochs[^1].Loss, shifted.GetReport<TrainingReport>().Epochs[^1].Validation!.Loss);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Augmentation.Shift(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Augmentation.Shift(1, -8, 8));
        Refused(Augmentation.Shift(1), Network.Mlp(64, 10), "height and width");
        Refused(Augmentation.Shift(1, 5, 8), Network.Mlp(64, 10), "5 x 8", "64");
        Refused(Augmentation.Shift(1, 5, 8), Network.Sequential([1, 8, 8], Layer.Flatten(), Layer.Dense(2)), "5 x 8", "8");
        Refused(Augmentation.Shift(8, 8, 8), Network.Mlp(64, 10), "8 pixels", "out of sight");

        static void Refused(Augmentation augmentation, Network network, params string[] told)
        {
            var message = Assert.ThrowsExactly<ArgumentException>(() => augmentation.Bind(network, 1)).Message;
            foreach (var text in told)
            {
                StringAssert.Contains(message, text);
            }
        }
    }

    private static float[] Moved(float[] image, int down, int right)
    {
        var moved = new float[40];
        for (var (channel, i) = (0, 0); channel < 2; channel++)
        {
            for (var row = 0; row < 4; row++)
            {
                for (var column = 0; column < 5; column++, i++)
                {
                    var (y, x) = (row - down, column - right);
                    moved[i] = y is >= 0 and < 4 && x is >= 0 and < 5 ? image[channel * 20 + y * 5 + x] : 0;
                }
            }
        }

        return moved;
    }
}
