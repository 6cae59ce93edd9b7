using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

public sealed class OnnxScoringEstimator : TrivialEstimator<OnnxTransformer>
{
    internal OnnxScoringEstimator(IHostEnvironment env, OnnxTransformer transformer)
        : base(env.Register(nameof(OnnxTransformer)), transformer)
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (string name in Transformer.Inputs)
        {
            SchemaShape.Column found = inputSchema.Require(name);

            // The runtime is fed tensors, and only they pass here: an input of rank 0 is refused.
            DataViewType expected = ((VectorDataViewType)Transformer.Model.GetInput(name).Type).ItemType;
            if (!found.ItemType.Equals(expected))
            {
                throw Contracts.SchemaMismatch(nameof(inputSchema), "input", name, expected.ToString()!, found.ItemType.ToString()!);
            }
        }

        return inputSchema.With(Transformer.Outputs.Zip(Transformer.OutputTypes, (name, type) => new SchemaShape.Column(
            name,
            type is VectorDataViewType { IsKnownSize: true } ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector,
            type.ItemType(),
            isKey: false)));
    }
}
