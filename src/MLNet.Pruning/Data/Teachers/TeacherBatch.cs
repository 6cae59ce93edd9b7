using System.Diagnostics.CodeAnalysis;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>What a teacher says of a batch.</summary>
/// <param name="Logits">Rows x outputs.</param>
/// <param name="Tensors">The tensors asked for, by the names they were asked for.</param>
internal readonly record struct TeacherBatch(TorchSharp.torch.Tensor Logits, IReadOnlyDictionary<string, TorchSharp.torch.Tensor> Tensors);
