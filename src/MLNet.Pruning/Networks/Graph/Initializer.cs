namespace MLNet.Pruning.Networks.Graph;

/// <summary>
/// How a parameter draws its first values: uniform in [-<paramref name="Bound"/>, <paramref name="Bound"/>] around <paramref name="Center"/>.
/// </summary>
internal readonly record struct Initializer(float Center, float Bound)
{
    public static Initializer Zero => new(0, 0);

    public static Initializer One => new(1, 0);

    /// <summary>
    /// He et al. 2015, "Delving Deep into Rectifiers", as PyTorch's layers use it (negative slope sqrt(5)): bound 1/sqrt(fan in),
    /// for weights and biases alike.
    /// </summary>
    public static Initializer KaimingUniform(int fanIn) => new(0, 1f / MathF.Sqrt(fanIn));

    public float[] Draw(int count, Random random)
    {
        var values = GC.AllocateUninitializedArray<float>(count, pinned: true);
        if (Bound == 0)
        {
            Array.Fill(values, Center);
            return values;
        }

        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Center + Bound * (2 * random.NextSingle() - 1);
        }

        return values;
    }
}
