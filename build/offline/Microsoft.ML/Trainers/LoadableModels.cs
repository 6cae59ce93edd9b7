using Microsoft.ML.Calibrators;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

[assembly: LoadableClass(typeof(LinearRegressionModelParameters), LinearRegressionModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(LinearBinaryModelParameters), LinearBinaryModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(MaximumEntropyModelParameters), MaximumEntropyModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(PlattCalibrator), PlattCalibrator.LoaderSignature)]
[assembly: LoadableClass(typeof(CalibratedModelLoader), CalibratedModelLoader.LoaderSignature)]
