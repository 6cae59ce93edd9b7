using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using MLNet.Pruning.SameBits;

// A line for each pipeline: its name, and a digest of the bits of its scores and of all that its steps report.
foreach (var (name, fit) in Pipelines.All)
{
    var ml = new MLContext(seed: 5);
    var (model, report) = fit(ml);
    using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    digest.AppendData(Encoding.UTF8.GetBytes(report));
    foreach (var score in Pipelines.Scores(model, ml))
    {
        digest.AppendData(BitConverter.GetBytes(score));
    }

    Console.WriteLine($"{name}: {Convert.ToHexString(digest.GetHashAndReset())}");
}
