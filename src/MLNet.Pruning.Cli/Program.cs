using MLNet.Pruning.Cli;

return Tool.Run(args);
