namespace MLNet.Pruning.Offline.Tests.Onnx;

/// <summary>The models that test/peers/make_onnx_fixtures.py writes.</summary>
internal static class Fixture
{
    public static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path(name));
}
