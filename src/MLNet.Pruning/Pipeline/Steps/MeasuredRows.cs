using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Training;
using static TorchSharp.torch;

namespace MLNet.Pruning.Pipeline.Steps;

/// <summary>What a step works on that measures networks and looks at rows.</summary>
/// <param name="State">The network before, and how it was trained.</param>
/// <param name="Device">Where it runs.</param>
/// <param name="Data">The rows, split as for its training.</param>
/// <param name="Validation">Measures networks on those that were held back.</param>
/// <param name="Calibration">The others, for what looks at them.</param>
internal sealed record MeasuredRows(NetworkState State, Device Device, TrainingData Data, Validation Validation, Func<CalibrationData> Calibration);
