using System.Globalization;

namespace MLNet.Pruning;

/// <summary>A cost that a pruning can aim at.</summary>
internal enum NetworkBudget
{
    MultiplyAdds,
    Parameters,
}
