using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class PipelineTests
{
    private readonly MLContext _ml = new(1);

    private IDataView Data => _ml.Data.LoadFromEnumerable(Digit.Some(5));

    [TestMethod]
    public void Each_step_is_fitted_on_what_the_ones_before_make()
    {
        var seen = new List<float[]>();
        new ShiftingEstimator(_ml, "Number", "Number", view => seen.Add(Digit.NumbersOf(view)))
            .Append(new ShiftingEstimator(_ml, "Number", "Number", view => seen.Add(Digit.NumbersOf(view))))
            .Append(new ShiftingEstimator(_ml, "Number", "Number", view => seen.Add(Digit.NumbersOf(view))))
            .Fit(Data);
        for (int step = 0; step < 3; step++)
        {
            CollectionAssert.AreEqual(Enumerable.Range(step, 5).Select(n => (float)n).ToArray(), seen[step]);
        }
    }

    [TestMethod]
    public void Hidden_columns_keep_their_indices_and_values()
    {
        TransformerChain<ShiftingTransformer> model = new ShiftingEstimator(_ml, "Number", "Number")
            .Append(new ShiftingEstimator(_ml, "Number", "Number")).Fit(Data);
        IDataView view = model.Transform(Data);
        Assert.HasCount(2, model.ToArray());
        DataViewSchema.Column[] numbers = [.. view.Schema.Where(column => column.Name == "Number")];
        CollectionAssert.AreEqual(new[] { true, true, false }, numbers.Select(column => column.IsHidden).ToArray());
        for (int i = 0; i < numbers.Length; i++)
        {
            CollectionAssert.AreEqual(Enumerable.Range(i, 5).Select(n => (float)n).ToArray(), view.GetColumn<float>(numbers[i]).ToArray());
        }

        Assert.AreEqual(numbers[2].Index, model.GetOutputSchema(Data.Schema)["Number"].Index);
    }

    [TestMethod]
    public void Only_the_columns_asked_for_are_computed()
    {
        TransformerChain<ShiftingTransformer> model = new ShiftingEstimator(_ml, "A", "Number").Append(new ShiftingEstimator(_ml, "B", "Number")).Fit(Data);
        Assert.AreEqual(5, model.Transform(Data).GetColumn<float>("B").Count());
        Assert.AreEqual(0, ((ShiftingTransformer)model.First()).Computed);
        Assert.AreEqual(5, model.LastTransformer.Computed);
    }

    [TestMethod]
    public void A_checkpoint_keeps_what_comes_before_it()
    {
        ShiftingTransformer? first = null;
        new ShiftingEstimator(_ml, "A", "Number").WithOnFitDelegate(transformer => first = transformer)
            .AppendCacheCheckpoint(_ml)
            .Append(new ShiftingEstimator(_ml, "B", "A", view =>
            {
                Assert.IsTrue(view.CanShuffle);
                CollectionAssert.AreEqual(view.Read<float>("A"), view.Read<float>("A"));
            }))
            .Fit(Data);
        Assert.AreEqual(5, first!.Computed);
        Assert.ThrowsExactly<InvalidOperationException>(() => new EstimatorChain<ITransformer>().AppendCacheCheckpoint(_ml));
    }

    [TestMethod]
    public void Scopes_say_when_a_step_takes_part()
    {
        TransformerChain<ShiftingTransformer> model = new EstimatorChain<ITransformer>()
            .Append(new ShiftingEstimator(_ml, "A", "Number"), TransformerScope.Training)
            .Append(new ShiftingEstimator(_ml, "B", "Number")).Fit(Data);
        Assert.IsNull(model.Transform(Data).Schema.GetColumnOrNull("A"));
        Assert.IsNotNull(model.Transform(Data, TransformerScope.TrainTest).Schema.GetColumnOrNull("A"));
        Assert.HasCount(1, model.GetModelFor(TransformerScope.Scoring).ToArray());
    }

    [TestMethod]
    public void A_mistake_at_the_end_shows_before_anything_is_fitted()
    {
        bool fitted = false;
        EstimatorChain<ShiftingTransformer> chain = new ShiftingEstimator(_ml, "A", "Number", _ => fitted = true)
            .Append(new ShiftingEstimator(_ml, "B", "Absent"));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(Data));
        Assert.IsFalse(fitted);
    }

    [TestMethod]
    public void The_first_step_of_a_chain_gets_the_shape_of_the_schema()
    {
        SchemaShape? shape = null;
        var capture = new CapturingEstimator(found => shape = found);
        new EstimatorChain<ITransformer>().Append(capture).Fit(Data);
        SchemaShape.Column features = shape!.Single(column => column.Name == "Features");
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, features.Kind);
        Assert.AreEqual(NumberDataViewType.Single, features.ItemType);
        SchemaShape.Column key = shape!.Single(column => column.Name == "Class");
        Assert.IsTrue(key.IsKey);
        Assert.AreEqual(NumberDataViewType.UInt32, key.ItemType);
    }

    private sealed class CapturingEstimator(Action<SchemaShape> capture) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            capture(inputSchema);
            return inputSchema;
        }
    }
}
