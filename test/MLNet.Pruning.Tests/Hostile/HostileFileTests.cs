using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Hostile;

[TestClass]
public sealed class HostileFileTests
{
    public static IEnumerable<string> Files => Case.In("hostile");

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void A_file_is_refused_when_it_is_read_or_every_stage_takes_it(string name)
        => LaterStages.Run(File.ReadAllBytes(Case.File("hostile/" + name)), name);
}
