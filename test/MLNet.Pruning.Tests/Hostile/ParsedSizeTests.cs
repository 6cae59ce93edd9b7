using Google.Protobuf;
using Google.Protobuf.Reflection;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>Files too short to hold a bomb are not counted: no message may then take more than that assumes.</summary>
[TestClass]
public class ParsedSizeTests
{
    [TestMethod]
    public void No_message_takes_more_for_a_byte_than_files_are_counted_by()
    {
        var most = 0.0;
        foreach (var type in ModelProto.Descriptor.File.MessageTypes.SelectMany(WithNested))
        {
            foreach (var field in type.Fields.InFieldNumberOrder())
            {
                foreach (var times in new[] { 1, 2, 9, 1000 })
                {
                    var message = Enumerable.Repeat(Empty(field), times).SelectMany(bytes => bytes).ToArray();
                    most = Math.Max(most, (double)ParsedSize.Of(message, type) / message.Length);
                }
            }
        }

        Assert.IsGreaterThan(200, most, "hundreds of bytes for two are what the count is for");
        Assert.IsLessThanOrEqualTo(ParsedSize.MostPerByte, most);
    }

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    /// <summary>The shortest that a field can be.</summary>
    private static byte[] Empty(FieldDescriptor field)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream))
        {
            output.WriteTag(field.FieldNumber, WireFormat.WireType.LengthDelimited);
            output.WriteLength(0);
        }

        return stream.ToArray();
    }
}
