using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Names a class so that a model file can refer to it.</summary>
public abstract class ExtensionBaseAttribute : Attribute
{
    private protected ExtensionBaseAttribute(string contractName)
    {
        Contracts.CheckNonWhiteSpace(contractName);
        ContractName = contractName;
    }

    public string ContractName { get; }
}
