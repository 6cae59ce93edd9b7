using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

/// <summary>An object in an image: one that is there, or one that a model finds, by the box around it.</summary>
public readonly record struct ObjectBox
{
    /// <param name="classIndex">Its class, by number.</param>
    /// <param name="x">Left edge of the box, in pixels.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="width">Width of the box; not negative.</param>
    /// <param name="height">Height of the box; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or negative where it must not be.</exception>
    public ObjectBox(int classIndex, double x, double y, double width, double height)
        => (Class, X, Y, Width, Height) = (classIndex, Finite(x, nameof(x)), Finite(y, nameof(y)), Setting.NotNegative(width, nameof(width)),
            Setting.NotNegative(height, nameof(height)));

    /// <summary>Its class, by number.</summary>
    public int Class { get; }

    /// <summary>Left edge of the box, in pixels.</summary>
    public double X { get; }

    /// <summary>Upper edge.</summary>
    public double Y { get; }

    /// <summary>Width of the box.</summary>
    public double Width { get; }

    /// <summary>Height of the box.</summary>
    public double Height { get; }

    /// <summary>How sure a model is of it, a finite number; not looked at where it is there.</summary>
    /// <value>Default 0.</value>
    public double Score { get; init => field = Finite(value, nameof(Score)); }

    /// <summary>Whether it stands for a crowd, of which a model may find any number: COCO's <c>iscrowd</c>.</summary>
    /// <value>Default false.</value>
    public bool IsCrowd { get; init; }

    /// <summary>What counts as its size, in pixels, not negative; COCO gives that of the object's outline.</summary>
    /// <value>Default null: that of the box.</value>
    public double? Area { get; init => field = value is { } area ? Setting.NotNegative(area) : null; }

    /// <summary>
    /// What is there in each image of a file of annotations in COCO's form (JSON with <c>images</c>, <c>categories</c> and <c>annotations</c>).
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>Images and classes are counted from 0 in the order in which the file lists them.</returns>
    /// <exception cref="FormatException">It is no such file; the message says what is wrong in which annotation.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <example>
    /// <code>
    /// var truths = ObjectBox.FromCoco("instances.json");
    /// Console.WriteLine($"{truths.Count} images, {truths.Sum(image => image.Count)} objects");
    /// </code>
    /// </example>
    public static IReadOnlyList<IReadOnlyList<ObjectBox>> FromCoco(string path) => CocoObjects.Read(Setting.Named(path, nameof(path)));

    /// <summary>Its size by <see cref="Area"/>, or else that of the box.</summary>
    internal double Size => Area ?? Width * Height;

    /// <summary>The share that it has in common with an object that is there: of their union, or of itself where the object is a crowd.</summary>
    internal double Overlap(ObjectBox truth)
    {
        var width = Math.Min(X + Width, truth.X + truth.Width) - Math.Max(X, truth.X);
        var height = Math.Min(Y + Height, truth.Y + truth.Height) - Math.Max(Y, truth.Y);
        if (width <= 0 || height <= 0)
        {
            return 0;
        }

        var common = width * height;
        return common / (Width * Height + (truth.IsCrowd ? 0 : truth.Width * truth.Height - common));
    }

    private static double Finite(double value, string name) => double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} of a box is a finite number.");
}
