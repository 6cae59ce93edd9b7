using System.CommandLine;
using System.Globalization;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Which outputs of a network say what it finds in an image, and which file says what is there.</summary>
internal sealed class Detections
{
    private const string AnyOverlap = "mAP";

    private static readonly Dictionary<string, Func<float, float, float, float, (float X, float Y, float Width, float Height)>> s_formats = new()
    {
        ["corners"] = (left, top, right, bottom) => (left, top, right - left, bottom - top),
        ["corner-size"] = (left, top, width, height) => (left, top, width, height),
        ["centre-size"] = (x, y, width, height) => (x - width / 2, y - height / 2, width, height),
    };

    private readonly Option<FileInfo?> _objects = new("--objects")
    {
        Description = "Objects that are in the images of --data, image by image: JSON of COCO's form. For mAP, mAP@0.5 of one overlap, mAP-small, -medium, "
            + "-large.",
    };

    private readonly Option<string> _boxes = new("--boxes") { Description = "The output of boxes, images x boxes x 4.", DefaultValueFactory = _ => "boxes" };

    private readonly Option<string> _scores = new("--scores")
    {
        Description = "The output of scores, images x boxes, or images x boxes x classes.", DefaultValueFactory = _ => "scores",
    };

    private readonly Option<string?> _classes = new("--classes")
    {
        Description = "The output of classes, images x boxes, numbered from 0 as --objects lists them; without it all are of class 0, or of those of --scores.",
    };

    private readonly Option<string> _format = new Option<string>("--box-format")
    {
        Description = "What four numbers say of a box in pixels: left, top, right and bottom (corners), left, top, width and height (corner-size), or its "
            + "centre, "
            + "width and height (centre-size).",
        DefaultValueFactory = _ => "corners",
    }.AcceptOnlyFromAmong([.. s_formats.Keys]);

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_objects, .. Outputs])
        {
            command.Options.Add(option);
        }
    }

    private Option[] Outputs => [_boxes, _scores, _classes, _format];

    /// <summary>The file of what is there; null for none.</summary>
    /// <exception cref="UsageException">There is none, and outputs are named.</exception>
    public FileInfo? File(ParseResult arguments) => arguments.GetValue(_objects) is { } file ? file
        : Outputs.FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false }) is { } useless
            ? throw new UsageException($"{useless.Name} is of objects: give --objects truths.json.") : null;

    /// <summary>The metric of a name such as "mAP@0.5-small"; null where it is another's.</summary>
    /// <exception cref="UsageException">It is one of objects, and there are none.</exception>
    public Metric? Metric(ParseResult arguments, string name)
    {
        if (!name.StartsWith(AnyOverlap, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var (overlap, size) = (null as double?, ObjectSize.Any);
        var rest = name[AnyOverlap.Length..];
        if (rest.LastIndexOf('-') is var dash and >= 0)
        {
            size = Enum.TryParse<ObjectSize>(rest[(dash + 1)..], ignoreCase: true, out var named) && !char.IsAsciiDigit(rest[^1]) ? named : throw Unknown(name);
            rest = rest[..dash];
        }

        if (rest.Length > 0)
        {
            overlap = rest[0] == '@' && double.TryParse(rest[1..], CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1
                ? number : throw Unknown(name);
        }

        var truths = ObjectBox.FromCoco((File(arguments) ?? throw new UsageException($"{name} needs --objects, what is there in the images.")).ToString());
        return Pruning.Metric.MeanAveragePrecision(outputs => Find(arguments, outputs), row => row < truths.Count ? truths[row]
            : throw new ArgumentException($"--data has a row {row + 1}, and --objects {truths.Count} images; expected an image for each row."), overlap, size);
    }

    private static UsageException Unknown(string name) => new($"--metrics: '{name}' is none of mAP, mAP@0.5 of an overlap in (0, 1], and these with -small, "
        + "-medium or -large behind.");

    private IEnumerable<ObjectBox> Find(ParseResult arguments, IReadOnlyDictionary<string, float[]> outputs)
    {
        float[] Values(Option<string> option) => outputs.TryGetValue(arguments.GetRequiredValue(option), out var values) ? values
            : throw new ArgumentException($"{option.Name} is '{arguments.GetValue(option)}', which is no output of the network; those are "
                + $"{string.Join(", ", outputs.Keys)}.");
        var (boxes, scores) = (Values(_boxes), Values(_scores));
        var count = boxes.Length / 4;
        var classes = arguments.GetValue(_classes) is null ? null : Values(_classes!);
        if (boxes.Length % 4 != 0 || count == 0 || scores.Length % count != 0 || classes is not null && (classes.Length != count || scores.Length != count))
        {
            throw new ArgumentException($"The network gives {boxes.Length} numbers of boxes, {scores.Length} scores"
                + $"{(classes is null ? "" : $" and {classes.Length} classes")} for an image; expected four numbers of each box, and a score and a class of "
                    + "each, or a "
                + "score for each class.");
        }

        var format = s_formats[arguments.GetRequiredValue(_format)];
        var perBox = scores.Length / count;
        return scores.Select((score, i) =>
        {
            var (box, kind) = Math.DivRem(i, perBox);
            var (x, y, width, height) = format(boxes[4 * box], boxes[4 * box + 1], boxes[4 * box + 2], boxes[4 * box + 3]);
            // A box turned inside out covers nothing.
            return new ObjectBox(classes is null ? kind : (int)classes[box], x, y, Math.Max(0, width), Math.Max(0, height)) { Score = score };
        });
    }
}
