using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class PredictionEngineTests
{
    private readonly MLContext _ml = new(1);

    private TransformerChain<ShiftingTransformer> Model => new ShiftingEstimator(_ml, "A", "Number")
        .Append(new ShiftingEstimator(_ml, "B", "A")).Fit(_ml.Data.LoadFromEnumerable(Digit.Some(1)));

    [TestMethod]
    public void Each_prediction_is_of_its_own_row()
    {
        using PredictionEngine<Digit, Output> engine = _ml.Model.CreatePredictionEngine<Digit, Output>(Model);
        Assert.AreEqual(5f, engine.Predict(new Digit { Number = 3 }).B);
        Output prediction = new();
        engine.Predict(new Digit { Number = 10, Features = [4, 5] }, ref prediction);
        Assert.AreEqual(12f, prediction.B);
        CollectionAssert.AreEqual(new[] { 4f, 5f }, prediction.Features);
        Assert.IsNotNull(engine.OutputSchema.GetColumnOrNull("A"));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void It_disposes_what_it_owns(bool owns)
    {
        TransformerChain<ShiftingTransformer> model = Model;
        _ml.Model.CreatePredictionEngine<Digit, Output>(model, new PredictionEngineOptions { OwnsTransformer = owns }).Dispose();
        Assert.AreEqual(owns, model.LastTransformer.IsDisposed);
    }

    [TestMethod]
    public void Disposing_of_it_leaves_the_rows_of_the_mappers_alone()
    {
        var model = new PositionTransformer([]);
        _ml.Model.CreatePredictionEngine<Digit, Output>(model).Dispose();
        Assert.IsFalse(model.IsRowDisposed);
    }

    [TestMethod]
    public void The_position_grows_with_each_prediction()
    {
        var positions = new List<long>();
        using var engine = _ml.Model.CreatePredictionEngine<Digit, Output>(new PositionTransformer(positions));
        for (int i = 0; i < 3; i++)
        {
            engine.Predict(new Digit());
        }

        CollectionAssert.AreEqual(new[] { 0L, 1L, 2L }, positions);
    }

    [TestMethod]
    public void A_schema_of_a_model_gives_the_input_its_types()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Number", NumberDataViewType.Single);
        builder.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, 7));
        using var engine = _ml.Model.CreatePredictionEngine<Digit, Output>(Model, builder.ToSchema());
        Assert.AreEqual(7, ((VectorDataViewType)engine.OutputSchema["Features"].Type).Size);
    }

    private sealed class Output
    {
        public float B { get; set; }

        public float[] Features { get; set; } = [];
    }

    /// <summary>Passes rows on and notes where they are when column B is read.</summary>
    private sealed class PositionTransformer(List<long> positions) : ITransformer, IRowToRowMapper
    {
        private DataViewSchema _input = null!;

        public bool IsRowToRowMapper => true;

        public bool IsRowDisposed { get; private set; }

        public DataViewSchema InputSchema => _input;

        public DataViewSchema OutputSchema { get; private set; } = null!;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
        {
            var builder = new DataViewSchema.Builder();
            builder.AddColumns(inputSchema);
            builder.AddColumn("B", NumberDataViewType.Single);
            return builder.ToSchema();
        }

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        {
            _input = inputSchema;
            OutputSchema = GetOutputSchema(inputSchema);
            return this;
        }

        public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) => _input;

        public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new Row(this, input, positions);

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => throw new NotSupportedException();

        private sealed class Row(PositionTransformer parent, DataViewRow input, List<long> positions) : DataViewRow
        {
            public override long Position => input.Position;

            public override long Batch => 0;

            public override DataViewSchema Schema => parent.OutputSchema;

            public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

            public override bool IsColumnActive(DataViewSchema.Column column) => true;

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => column.Name == "B"
                ? (ValueGetter<TValue>)(Delegate)(ValueGetter<float>)((ref float _) => positions.Add(input.Position))
                : input.GetGetter<TValue>(input.Schema[column.Index]);

            protected override void Dispose(bool disposing) => parent.IsRowDisposed = true;
        }
    }
}
