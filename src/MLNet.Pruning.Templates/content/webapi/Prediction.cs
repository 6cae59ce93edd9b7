namespace PrunedApi;

/// <summary>The columns of a scored row that are answered.</summary>
public class Prediction
{
    public bool PredictedLabel { get; set; }

    public float Probability { get; set; }
}
