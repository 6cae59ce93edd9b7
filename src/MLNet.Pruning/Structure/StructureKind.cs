namespace MLNet.Pruning;

/// <summary>What a group of indices that go together is.</summary>
public enum StructureKind
{
    /// <summary>A unit of a dense layer.</summary>
    Neuron,

    /// <summary>A filter of a convolution with the channel it makes.</summary>
    Channel,

    /// <summary>A whole group of a grouped convolution.</summary>
    ChannelGroup,

    /// <summary>An attention head.</summary>
    Head,

    /// <summary>A hidden unit of a recurrent layer, in all gates and both directions.</summary>
    HiddenUnit,

    /// <summary>A dimension of an embedding.</summary>
    Embedding,
}
