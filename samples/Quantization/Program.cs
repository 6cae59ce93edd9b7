using MLNet.Pruning.Samples;
using MLNet.Pruning.Samples.Quantization;

return RecipeCommand.Run(args, "Quantises LeNets trained on MNIST, seed by seed, and measures them on the test images at the end.",
    [Forms.LeNet5, Forms.LeNet300, Forms.Compact], "quantization", Report.Write);
