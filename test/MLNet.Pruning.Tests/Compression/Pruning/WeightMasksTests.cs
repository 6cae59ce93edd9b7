using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Several masks made one, in files, and on other networks.</summary>
[TestClass]
public class WeightMasksTests
{
    [TestMethod]
    public void Union_intersection_and_vote_count_the_sets_that_keep_a_weight()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var counts = Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 150)).ToArray();
            var sets = Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
                (IReadOnlyDictionary<string, WeightMask>)Enumerable.Range(0, counts.Length).Where(_ => random.Next(4) > 0)
                .ToDictionary(p => $"p{p}", p => new WeightMask(Enumerable.Range(0, counts[p]).Select(_ => random.Next(2) == 0).ToArray()))).ToArray();
            var votes = random.Next(1, sets.Length + 1);
            foreach (var (combined, needed) in new[] { (WeightMask.Union(sets), 1), (WeightMask.Intersection(sets), sets.Length),
                (WeightMask.Vote(votes, sets), votes) })
            {
                for (var p = 0; p < counts.Length; p++)
                {
                    for (var i = 0; i < counts[p]; i++)
                    {
                        var keepers = sets.Count(set => !set.TryGetValue($"p{p}", out var mask) || mask[i]);
                        Assert.AreEqual(keepers >= needed, !combined.TryGetValue($"p{p}", out var kept) || kept[i],
                            $"p{p}[{i}], {keepers} of {sets.Length} keep it, {needed} needed");
                    }
                }
            }
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    public void A_file_gives_back_the_masks_and_puts_them_on_another_network()
        => InFolder(path =>
        {
            var pruned = Network.Mlp(13, 7, 5).Initialize(1).Prune(Amount.Fraction(0.6), Importance.Random(1));
            pruned.SaveMasks(path);
            var other = Network.Mlp(13, 7, 5).Initialize(2);
            foreach (var loaded in new[] { other.LoadMasks(path), other.WithMasksOf(pruned), other.WithMasks(pruned.Masks) })
            {
                CollectionAssert.AreEquivalent(pruned.Masks.Keys.ToArray(), loaded.Masks.Keys.ToArray());
                foreach (var (name, mask) in pruned.Masks)
                {
                    CollectionAssert.AreEqual(mask.ToArray(), loaded.Masks[name].ToArray(), name);
                    CollectionAssert.AreEqual(mask.ToArray().Select((kept, i) => kept ? other[name].Values[i] : 0).ToArray(),
                        loaded.Network[name].Values.ToArray(), "the other network's own weights");
                }
            }
        });

    [TestMethod]
    public void The_file_is_what_is_documented()
        => InFolder(path =>
        {
            // 10 values, of which 0, 3 and 9 are kept: 0b00001001 and 0b10.
            Network.Mlp(5, 2).Initialize(1).WithMask("fc1.weight", new WeightMask([true, false, false, true, false, false, false, false, false, true]))
                .SaveMasks(path);
            var entry = JsonNode.Parse(File.ReadAllText(path))!["masks"]![0]!;
            Assert.AreEqual("fc1.weight", (string?)entry["parameter"]);
            CollectionAssert.AreEqual(new[] { 2, 5 }, entry["shape"]!.AsArray().Select(size => (int)size!).ToArray());
            Assert.AreEqual(3, (int)entry["kept"]!);
            CollectionAssert.AreEqual(new byte[] { 9, 2 }, Convert.FromBase64String((string)entry["bits"]!));
        });

    [TestMethod]
    public void Masks_of_another_network_are_refused_with_both_sides()
        => InFolder(path =>
        {
            var pruned = Network.Mlp(13, 7, 5).Initialize(1).Prune(Amount.Fraction(0.6));
            pruned.SaveMasks(path);
            foreach (var attempt in new Func<Network, PrunedNetwork>[] { network => network.LoadMasks(path), network => network.WithMasksOf(pruned) })
            {
                // As many weights in fc1, but of another shape.
                var shape = Assert.ThrowsExactly<ArgumentException>(() => attempt(Network.Mlp(7, 13, 5).Initialize(1))).Message;
                StringAssert.Contains(shape, "7 x 13");
                StringAssert.Contains(shape, "fc1.weight[13 x 7]");
                var missing = Assert.ThrowsExactly<ArgumentException>(() => attempt(Network.Mlp(13, 7).Initialize(1))).Message;
                StringAssert.Contains(missing, "'fc2.weight' (5 x 7)");
            }

            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
                WeightMask.Union(pruned.Masks, Network.Mlp(3, 7).Initialize(1).Prune(Amount.Fraction(0.5)).Masks)).Message, "91 and 21");
            Assert.ThrowsExactly<ArgumentException>(() => WeightMask.Intersection());
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => WeightMask.Vote(2, pruned.Masks));
            Assert.ThrowsExactly<ArgumentException>(() => pruned.Network
                .WithMasks(ImmutableDictionary<string, WeightMask>.Empty.Add("fc1.weight", new([true]))));
        });

    [TestMethod]
    public void Damaged_files_are_refused()
        => InFolder(path =>
        {
            var network = Network.Mlp(13, 7, 5).Initialize(1);
            network.Prune(Amount.Fraction(0.6)).SaveMasks(path);
            var whole = File.ReadAllText(path);
            string Changed(Action<JsonNode> change)
            {
                var json = JsonNode.Parse(whole)!;
                change(json);
                return json.ToJsonString();
            }

            foreach (var damaged in new[]
            {
                "", "{}", "[]", "null", whole[..(whole.Length / 2)],
                Changed(json => json["format"] = "other"), Changed(json => json["version"] = 2), Changed(json => json["masks"]![0] = null),
                Changed(json => json["masks"] = null),
                Changed(json => json["masks"]![0]!["bits"] = "AAAA"), Changed(json => json["masks"]![0]!["bits"] = "%"),
                Changed(json => json["masks"]![0]!["kept"] = 1),
                Changed(json => json["masks"]![1] = json["masks"]![0]!.DeepClone()), Changed(json => json["masks"]![0]!.AsObject().Remove("shape")),
            })
            {
                File.WriteAllText(path, damaged);
                StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => network.LoadMasks(path), damaged).Message, path);
            }

            Assert.ThrowsExactly<FileNotFoundException>(() => network.LoadMasks(path + ".none"));
        });

    private static void InFolder(Action<string> test)
    {
        var folder = Directory.CreateTempSubdirectory("masks");
        try
        {
            test(Path.Combine(folder.FullName, "masks.json"));
            Assert.AreEqual(1, folder.GetFiles().Length, "nothing is left beside the file");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
