using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class DataViewSchemaTests
{
    [TestMethod]
    public void Of_columns_with_one_name_the_last_is_visible()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("A", NumberDataViewType.Single);
        builder.AddColumn("B", NumberDataViewType.Int32);
        builder.AddColumn("A", TextDataViewType.Instance);
        DataViewSchema schema = builder.ToSchema();

        Assert.HasCount(3, schema);
        Assert.IsTrue(schema[0].IsHidden);
        Assert.IsFalse(schema[2].IsHidden);
        Assert.AreEqual(2, schema["A"].Index);
        Assert.AreEqual("A: String", schema["A"].ToString());
    }

    [TestMethod]
    public void Missing_columns_are_named()
    {
        DataViewSchema schema = new DataViewSchema.Builder().ToSchema();
        Assert.IsNull(schema.GetColumnOrNull("X"));
        Assert.Contains("'X'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => schema["X"]).Message);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => schema[0]);
        Assert.ThrowsExactly<ArgumentNullException>(() => schema[""]);
    }

    [TestMethod]
    public void Annotations_hold_managed_objects_of_a_type_of_ones_own()
    {
        var network = new object();
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add("Network", new ObjectType(), (ref object value) => value = network);
        builder.AddPrimitiveValue("Flag", BooleanDataViewType.Instance, true);
        DataViewSchema.Annotations annotations = builder.ToAnnotations();

        object found = new();
        annotations.GetValue("Network", ref found);
        Assert.AreSame(network, found);
        bool flag = false;
        annotations.GetGetter<bool>(annotations.Schema["Flag"])(ref flag);
        Assert.IsTrue(flag);
        float wrong = 0;
        Assert.ThrowsExactly<InvalidOperationException>(() => annotations.GetValue("Flag", ref wrong));
        Assert.ThrowsExactly<InvalidOperationException>(() => annotations.GetValue("Absent", ref wrong));
    }

    [TestMethod]
    public void Types_are_equal_by_what_they_describe()
    {
        Assert.IsTrue(new KeyDataViewType(typeof(uint), 5).Equals(new KeyDataViewType(typeof(uint), 5UL)));
        Assert.IsFalse(new KeyDataViewType(typeof(uint), 5).Equals((DataViewType)new KeyDataViewType(typeof(byte), 5)));
        var vector = new VectorDataViewType(NumberDataViewType.Single, 2, 3);
        Assert.AreEqual(6, vector.Size);
        Assert.AreEqual("Vector<Single, 2, 3>", vector.ToString());
        Assert.AreEqual("Vector<Single>", new VectorDataViewType(NumberDataViewType.Single).ToString());
        Assert.AreEqual("Key<UInt32, 0-4>", new KeyDataViewType(typeof(uint), 5).ToString());
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 2, 3).GetHashCode(), vector.GetHashCode());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new KeyDataViewType(typeof(byte), 256));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new KeyDataViewType(typeof(int), 3));
    }

    private sealed class ObjectType() : StructuredDataViewType(typeof(object))
    {
        public override bool Equals(DataViewType? other) => other is ObjectType;
    }
}
