using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using PrunedApi;

var builder = WebApplication.CreateBuilder(args);
var ml = new MLContext(seed: 1);
var path = Path.Combine(builder.Environment.ContentRootPath, "model.zip");
if (!File.Exists(path))
{
    Training.Run(ml, path);
}

var model = ml.Model.Load(path, out _);
builder.Services.AddSingleton<ObjectPool<PredictionEngine<Row, Prediction>>>(
    new DefaultObjectPool<PredictionEngine<Row, Prediction>>(new EnginePolicy(ml, model)));
var app = builder.Build();

// curl -X POST http://localhost:5000/predict -H "Content-Type: application/json" -d '{"features": [0.6, 0.4]}'
app.MapPost("/predict", (Row row, ObjectPool<PredictionEngine<Row, Prediction>> engines) =>
{
    if (row.Features is not { Length: 2 })
    {
        return Results.BadRequest(new { error = $"features: 2 numbers expected, {row.Features?.Length ?? 0} found" });
    }

    var engine = engines.Get();
    try
    {
        return Results.Ok(engine.Predict(row));
    }
    finally
    {
        engines.Return(engine);
    }
});

app.Run();
