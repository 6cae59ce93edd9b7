using DigitsApp;

// Compresses the model that Model Builder made of the digits, to trees and to a network, and tells what the files do on rows that nothing has seen.
// "train" makes DigitsModel.mlnet anew, as Model Builder did; "--output" names the folder of the compressed models.
Environment.CurrentDirectory = AppContext.BaseDirectory;
SplitDigits();
if (args is ["train"])
{
    DigitsModel.Train("DigitsModel.mlnet");
    return;
}

var folder = args is ["--output", var named] ? named : "compressed";
var (trees, network) = (Path.Combine(folder, "trees", "DigitsModel.mlnet"), Path.Combine(folder, "network", "DigitsModel.mlnet"));
foreach (var (path, form, bytes) in new[] { (trees, CompressedForm.Trees, 40_000L), (network, CompressedForm.Network, 12_000L) })
{
    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
    Console.WriteLine(DigitsModel.Compress(path, form, bytes, metricFloor: 0.95, "digits-choose.csv"));
    Console.WriteLine();
}

Console.WriteLine("| model | bytes | test accuracy | microseconds a row |");
Console.WriteLine("| --- | --- | --- | --- |");
foreach (var figures in DigitsModel.EvaluateCompression("digits-test.csv", "DigitsModel.mlnet", trees, network))
{
    Console.WriteLine(FormattableString.Invariant($"| {figures.Path} | {figures.Bytes:N0} | {figures.Metric:0.0000} | {figures.MicrosecondsPerRow:0.0} |"));
}

// Of every five rows three are what Model Builder was given, one is to choose on, and one to measure on.
static void SplitDigits()
{
    foreach (var (name, part) in new[] { ("train", 0..3), ("choose", 3..4), ("test", 4..5) })
    {
        File.WriteAllLines($"digits-{name}.csv", File.ReadLines("optdigits.csv").Chunk(5).SelectMany(rows => rows.Take(part)));
    }
}
