using System.Collections.Concurrent;
using Google.Protobuf.Reflection;

namespace MLNet.Pruning.Networks.Format;

/// <summary>
/// What the messages of a file take as objects, from its bytes alone: a message of two bytes can stand for hundreds. Values of tensors do not count, which take
/// as much as in the file or little more.
/// </summary>
internal static class ParsedSize
{
    // Protobuf refuses deeper ones.
    private const int MaximumDepth = 100;

    // An object, a reference to one, a list and the reference to it, and the room for eight that a list has from its first element on.
    private const int Header = 24, Reference = 8, List = 40, Room = Header + (8 * Reference);

    /// <summary>
    /// What a byte of a file takes at most: two are the shortest message, which takes itself, a place in a list, and the room of the list where it is the
    /// first, and so does the whole that it is counted as part of.
    /// </summary>
    public const long MostPerByte = ((2 * LargestMessage) + Reference + Room) / 2;

    /// <summary>An empty tensor or graph, with its lists.</summary>
    private const long LargestMessage = 512;

    private static readonly ConcurrentDictionary<MessageDescriptor, long> s_empty = [];

    /// <summary>Bytes of a message and all in it; of one that is damaged, up to where it is.</summary>
    public static long Of(ReadOnlySpan<byte> message, MessageDescriptor type) => Of(message, type, 0);

    private static long Of(ReadOnlySpan<byte> message, MessageDescriptor type, int depth)
    {
        var size = s_empty.GetOrAdd(type, one => Header + one.Fields.InDeclarationOrder().Sum(field => field.IsRepeated ? List : Reference));
        var lists = 0UL;
        while (depth < MaximumDepth && Varint(ref message) is { } tag)
        {
            ulong? length = (tag & 7) switch
            {
                0 when Varint(ref message) is not null => 0,
                1 => sizeof(double),
                2 => Varint(ref message),
                5 => sizeof(float),
                _ => null,
            };
            if (length is not { } bytes || bytes > (ulong)message.Length)
            {
                return size;
            }

            var part = message[..(int)bytes];
            message = message[(int)bytes..];
            var field = type.FindFieldByNumber((int)(tag >> 3));
            if (field is { IsRepeated: true } && (lists & (1UL << field.FieldNumber)) == 0)
            {
                lists |= 1UL << field.FieldNumber;
                size += Room;
            }

            size += field switch
            {
                // Kept to be written back.
                null => (2 * Header) + part.Length,
                { FieldType: FieldType.Message } => Reference + Of(part, field.MessageType, depth + 1),
                { FieldType: FieldType.String } => Reference + Header + (2L * part.Length),
                { FieldType: FieldType.Bytes } => 2 * Header,
                _ => 0,
            };
        }

        return size;
    }

    /// <summary>The number that a message begins with, which is taken from it; null where there is none.</summary>
    private static ulong? Varint(ref ReadOnlySpan<byte> message)
    {
        var value = 0UL;
        for (var i = 0; i < Math.Min(message.Length, 10); i++)
        {
            value |= (message[i] & 0x7FUL) << (7 * i);
            if (message[i] < 0x80)
            {
                message = message[(i + 1)..];
                return value;
            }
        }

        return null;
    }
}
