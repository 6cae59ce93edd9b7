using MLNet.Pruning.Samples;
using MLNet.Pruning.Samples.Mnist;

return RecipeCommand.Run(args, "Prunes LeNets on MNIST, seed by seed, and measures them on the test images at the end.",
    [LeNet300.Weights, LeNet5.Weights, LeNet300.Structure, LeNet5.Structure, LeNet300.Factors, SmallFiles.LeNet300Small, SmallFiles.LeNet5Small,
        SmallFiles.LeNet5Smallest], "mnist", Report.Write);
