using System.Text.Json;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>
/// The objects in a file of annotations as COCO has them (Lin et al. 2014): <c>images</c> with an <c>id</c>, <c>categories</c> with an <c>id</c>, and
/// <c>annotations</c> with <c>image_id</c>, <c>category_id</c>, <c>bbox</c>, and where it has them <c>area</c> and <c>iscrowd</c>.
/// </summary>
internal static class CocoObjects
{
    /// <summary>What is there in each image.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="FormatException">It is no such file; the message says what is wrong in which annotation.</exception>
    public static ObjectBox[][] Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            using var json = JsonDocument.Parse(stream);
            var images = Numbers(json.RootElement, "images");
            var classes = Numbers(json.RootElement, "categories");
            var objects = images.Select(_ => new List<ObjectBox>()).ToArray();
            foreach (var (number, annotation) in List(json.RootElement, "annotations").Index())
            {
                try
                {
                    objects[images.IndexOf(Property(annotation, "image_id").GetInt64(), "image_id")].Add(Box(annotation, classes));
                }
                catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentOutOfRangeException)
                {
                    throw new FormatException($"annotation {number}: {e.Message}", e);
                }
            }

            return [.. objects.Select(boxes => boxes.ToArray())];
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw new FormatException($"'{file}' is no file of COCO's annotations: {e.Message}", e);
        }
    }

    private static ObjectBox Box(JsonElement annotation, Identities classes)
    {
        var box = Property(annotation, "bbox");
        if (box.ValueKind != JsonValueKind.Array || box.GetArrayLength() != 4)
        {
            throw new FormatException($"bbox is {box}; expected four numbers: left, top, width, height.");
        }

        return new(classes.IndexOf(Property(annotation, "category_id").GetInt64(), "category_id"), box[0].GetDouble(), box[1].GetDouble(), box[2].GetDouble(),
            box[3].GetDouble())
        {
            Area = annotation.TryGetProperty("area", out var area) ? area.GetDouble() : null,
            IsCrowd = annotation.TryGetProperty("iscrowd", out var crowd) && crowd.GetInt32() != 0,
        };
    }

    private static JsonElement Property(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        ? value : throw new FormatException($"there is no '{name}'.");

    private static JsonElement.ArrayEnumerator List(JsonElement root, string name) => Property(root, name) is { ValueKind: JsonValueKind.Array } list
        ? list.EnumerateArray() : throw new FormatException($"'{name}' is no list.");

    private static Identities Numbers(JsonElement root, string name) => new([.. List(root, name).Select(item => Property(item, "id").GetInt64())]);

    /// <summary>Identities in the order in which the file lists them, which is that of rows and of classes.</summary>
    private sealed class Identities
    {
        private readonly Dictionary<long, int> _places = [];

        public Identities(long[] identities)
        {
            foreach (var (place, identity) in identities.Index())
            {
                _places[identity] = _places.ContainsKey(identity) ? throw new FormatException($"the id {identity} is there twice.") : place;
            }

            Count = identities.Length;
        }

        public int Count { get; }

        public IEnumerable<T> Select<T>(Func<int, T> of) => Enumerable.Range(0, Count).Select(of);

        public int IndexOf(long identity, string name) => _places.TryGetValue(identity, out var place) ? place
            : throw new FormatException($"{name} is {identity}, which the file does not list.");
    }
}
