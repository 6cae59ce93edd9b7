using MLNet.Pruning.Samples;
using MLNet.Pruning.Samples.Distillation;

return RecipeCommand.Run(args, "Trains small networks on what large models know: a network on MNIST, 200 boosted trees on a table.",
    [Hinton.Recipe, Trees.Recipe], "distillation", Report.Write);
