using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Mean average precision in COCO's definition, against examples worked by hand.</summary>
[TestClass]
public class AveragePrecisionTests
{
    // Each finder's row tells the image, of which the find is looked up by its number.
    private static readonly Network s_numbers = Network.Sequential([1], Layer.Dense(1)).Initialize(1).With("fc1.weight", [1]).With("fc1.bias", [0]);

    [TestMethod]
    public void What_is_all_found_is_1_and_what_is_not_is_0()
    {
        ObjectBox[] there = [Box(0, 0), Box(1, 50)];
        Assert.AreEqual(1, Measure([(Sure(there), there), (Sure(Box(0, 20)), [Box(0, 20)])]));
        Assert.AreEqual(0, Measure([([], there)]));
        Assert.AreEqual(0.5, Measure([(Sure(there[0]), there)]), 1e-12, "one class of two");
        Assert.AreEqual(1, Measure([([.. Sure(there), .. Sure(Box(7, 90))], there)]), "a class that is nowhere has no precision");
        Assert.IsTrue(double.IsNaN(Measure([(Sure(there), [])])));
    }

    [TestMethod]
    public void Precision_is_the_best_at_a_recall_or_above()
    {
        // Right, wrong, right of two objects: 1 up to a recall of 0.5 (51 of the 101), 2/3 beyond (50).
        ObjectBox[] found = [Box(0, 0, score: 0.9), Box(0, 500, score: 0.8), Box(0, 100, score: 0.7)];
        Assert.AreEqual((51 + 50 * 2.0 / 3) / 101, Measure([(found, [Box(0, 0), Box(0, 100)])]), 1e-12);
        // A second find of the same object is as wrong.
        found[1] = Box(0, 0, score: 0.8);
        Assert.AreEqual((51 + 50 * 2.0 / 3) / 101, Measure([(found, [Box(0, 0), Box(0, 100)])]), 1e-12);
        // What is surer in another image comes first: wrong, right, right; precision rises to 2/3, which holds for all recalls below too.
        Assert.AreEqual(2.0 / 3, Measure([([Box(0, 0, score: 0.5)], [Box(0, 0)]), ([Box(0, 300, score: 0.9), Box(0, 0, score: 0.6)], [Box(0, 0)])]), 1e-12);
        // Wrong and never right again: half of the objects at a precision of 1.
        Assert.AreEqual(51.0 / 101, Measure([(Sure(Box(0, 0)), [Box(0, 0), Box(0, 100)])]), 1e-12);
    }

    [TestMethod]
    public void A_find_counts_from_its_overlap_on()
    {
        // 10 x 7.2 within 10 x 10: 0.72, and so right at 0.50 to 0.70, five of ten.
        ObjectBox[] found = [new ObjectBox(0, 0, 0, 10, 7.2) { Score = 1 }];
        Assert.AreEqual(0.5, Measure([(found, [Box(0, 0)])]), 1e-12);
        Assert.AreEqual(1, Measure([(found, [Box(0, 0)])], overlap: 0.72 - 1e-9));
        Assert.AreEqual(0, Measure([(found, [Box(0, 0)])], overlap: 0.75));
        // Side by side by half: 50 in common of 150.
        Assert.AreEqual(1, Measure([(Sure(Box(0, 5)), [Box(0, 0)])], overlap: 1 / 3.0 - 1e-9));
        Assert.AreEqual(0, Measure([(Sure(Box(0, 5)), [Box(0, 0)])], overlap: 0.34));
        // The one that overlaps most is taken, so that the other is left for the second find.
        Assert.AreEqual(1, Measure([([Box(0, 1, score: 0.9), Box(0, 3, score: 0.8)], [Box(0, 4), Box(0, 0)])], overlap: 0.5));
    }

    [TestMethod]
    public void Finds_in_a_crowd_count_neither_way()
    {
        var crowd = new ObjectBox(0, 100, 0, 100, 100) { IsCrowd = true };
        ObjectBox[] found = [Box(0, 110, score: 0.9), Box(0, 150, score: 0.8), Box(0, 0, score: 0.7)];
        Assert.AreEqual(1, Measure([(found, [crowd, Box(0, 0)])]));
        Assert.AreEqual(1, Measure([(found, [Box(0, 0), crowd])]));
        Assert.AreEqual(1 / 3.0, Measure([(found, [Box(0, 0)])]), 1e-12);
        Assert.IsTrue(double.IsNaN(Measure([(found, [crowd])])));
    }

    [TestMethod]
    public void Objects_are_measured_by_their_size()
    {
        var (small, large) = (new ObjectBox(0, 0, 0, 20, 20) { Score = 0.9 }, new ObjectBox(0, 200, 0, 100, 100) { Score = 0.8 });
        (ObjectBox[], ObjectBox[])[] images = [([large], [small, large])];
        Assert.AreEqual(0, Measure(images, size: ObjectSize.Small));
        Assert.AreEqual(1, Measure(images, size: ObjectSize.Large));
        Assert.IsTrue(double.IsNaN(Measure(images, size: ObjectSize.Medium)));
        // By the area of the outline, where there is one; a wrong find is looked at by its box.
        Assert.AreEqual(1, Measure([([large], [large with { Area = 2000 }])], size: ObjectSize.Medium));
        Assert.AreEqual(1, Measure([([small, large], [large])], size: ObjectSize.Large));
        Assert.AreEqual(0.5, Measure([([small, large], [large])]), 1e-12);
    }

    [TestMethod]
    public void Of_an_image_the_hundred_surest_are_looked_at()
    {
        ObjectBox[] Crowded(int wrong) => [.. Enumerable.Range(0, wrong).Select(i => Box(0, 1000 + 20 * i, score: 0.9)), Box(0, 0, score: 0.5)];
        Assert.AreEqual(0.01, Measure([(Crowded(99), [Box(0, 0)])]), 1e-12);
        Assert.AreEqual(0, Measure([(Crowded(100), [Box(0, 0)])]));
    }

    [TestMethod]
    public void What_is_no_box_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Measure([(Sure(Box(0, double.NaN)), [Box(0, 0)])]));
        Assert.Throws<ArgumentException>(() => Measure([([Box(0, 0, score: double.NaN)], [Box(0, 0)])]));
        Assert.Throws<ArgumentException>(() => Measure([([], [new ObjectBox(0, 0, 0, -1, 1)])]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Metric.MeanAveragePrecision(_ => [], _ => [], overlap: 0));
    }

    private static ObjectBox Box(int index, double x, double score = 1) => new(index, x, 0, 10, 10) { Score = score };

    private static ObjectBox[] Sure(params ObjectBox[] boxes) => [.. boxes.Select(box => box with { Score = 1 })];

    private static double Measure((ObjectBox[] Found, ObjectBox[] There)[] images, double? overlap = null, ObjectSize size = ObjectSize.Any)
    {
        var ml = new MLContext(1);
        var metric = Metric.MeanAveragePrecision(outputs => images[(int)outputs[s_numbers.Output.Name][0]].Found, row => images[row].There, overlap, size);
        var rows = ml.Data.LoadFromEnumerable(images.Select((_, i) => new Image { Features = [i] }));
        return ml.Compression().Evaluate(s_numbers, rows, new() { Metrics = [metric] })[metric];
    }

    private sealed class Image
    {
        [VectorType(1)]
        public float[] Features { get; set; } = [];
    }
}
