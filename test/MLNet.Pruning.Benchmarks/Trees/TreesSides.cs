using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Trainers.FastTree;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Scoring;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;

namespace MLNet.Pruning.Benchmarks;

/// <summary>The same trees as ML.NET trained them, in this library's transformer, and in ONNX Runtime.</summary>
internal sealed class TreesSides : IDisposable
{
    private readonly MLContext _ml = new(1);
    private readonly TreesRow[] _rows;
    private readonly float[] _features;
    private readonly float[] _complete;
    private readonly TreesScore _score = new();
    private readonly PackedTrees _packed;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly Dictionary<int, IDataView> _views = [];
    private readonly Dictionary<int, (TreeScratch Scratch, float[] Scores)> _scratch = [];
    private readonly Dictionary<int, (float[] Input, OrtIoBinding Binding)> _bindings = [];

    public TreesSides(int trees, int leaves, int trainingRows, int rows)
    {
        var random = new Random(1);
        var training = _ml.Data.LoadFromEnumerable(TreesRow.Draw(random, trainingRows));
        _rows = TreesRow.Draw(random, rows);
        _features = [.. _rows.SelectMany(row => row.Features)];
        var trainer = _ml.Regression.Trainers.FastTree(numberOfTrees: trees, numberOfLeaves: leaves);
        var model = trainer.Fit(training);
        var state = TreeReader.Read(model).State;
        // As PruneTrees would hand it on if it left all trees.
        Theirs = model;
        Ours = new PrunedTreesTransformer(state, training.Schema, new(default, state.Trees.Cost, state.Trees.Cost, "", 0, 0, 0, 0));
        TheirsByRow = _ml.Model.CreatePredictionEngine<TreesRow, TreesScore>(Theirs);
        OursByRow = _ml.Model.CreatePredictionEngine<TreesRow, TreesScore>(Ours);
        _packed = PackedTrees.Of(state.Trees);
        _complete = new float[rows * state.Trees.Width];
        for (var row = 0; row < rows; row++)
        {
            _rows[row].Features.CopyTo(_complete, row * state.Trees.Width);
        }

        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new(TreeOnnx.Model(state.Trees).ToByteArray(), options);
    }

    public ITransformer Ours { get; }

    public ITransformer Theirs { get; }

    public PredictionEngine<TreesRow, TreesScore> OursByRow { get; }

    public PredictionEngine<TreesRow, TreesScore> TheirsByRow { get; }

    public void Predict(PredictionEngine<TreesRow, TreesScore> engine, int rows)
    {
        var score = _score;
        for (var row = 0; row < rows; row++)
        {
            engine.Predict(_rows[row], ref score);
        }
    }

    public void Transform(ITransformer model, int rows)
    {
        if (!_views.TryGetValue(rows, out var view))
        {
            _views.Add(rows, view = _ml.Data.LoadFromEnumerable(_rows.Take(rows).ToArray()));
        }

        var scored = model.Transform(view);
        using var cursor = scored.GetRowCursor([scored.Schema["Score"]]);
        var read = cursor.GetGetter<float>(scored.Schema["Score"]);
        float score = 0;
        while (cursor.MoveNext())
        {
            read(ref score);
        }
    }

    /// <summary>Rows that lie ready, in the scorer.</summary>
    public void RunOurs(int rows, int batch)
    {
        if (!_scratch.TryGetValue(batch, out var own))
        {
            _scratch.Add(batch, own = (_packed.CreateScratch(), new float[batch]));
        }

        var width = _packed.Model.Width;
        for (var row = 0; row < rows; row += batch)
        {
            _packed.Score(_complete.AsSpan(row * width), batch, own.Scratch, own.Scores);
        }
    }

    public void RunOnnx(int rows, int batch)
    {
        if (!_bindings.TryGetValue(batch, out var own))
        {
            own = (new float[batch * TreesRow.Width], _session.CreateIoBinding());
            own.Binding.BindInput("features", OrtValue.CreateTensorValueFromMemory(own.Input, [batch, TreesRow.Width]));
            own.Binding.BindOutput("score", OrtValue.CreateTensorValueFromMemory(new float[batch], [batch, 1]));
            _bindings.Add(batch, own);
        }

        for (var row = 0; row < rows; row += batch)
        {
            _features.AsSpan(row * TreesRow.Width, own.Input.Length).CopyTo(own.Input);
            _session.RunWithBinding(_run, own.Binding);
        }
    }

    public void Dispose()
    {
        foreach (var (_, binding) in _bindings.Values)
        {
            binding.Dispose();
        }

        _run.Dispose();
        _session.Dispose();
        OursByRow.Dispose();
        TheirsByRow.Dispose();
    }
}
