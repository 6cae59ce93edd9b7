namespace MLNet.Pruning.Evaluation;

/// <summary>Counters that hardware keeps of the energy it takes.</summary>
internal interface IEnergyCounters
{
    /// <summary>How what they say is known, and what it is the energy of.</summary>
    string Source { get; }

    /// <summary>What they say now.</summary>
    long[] Read();

    /// <summary>Joules between two readings.</summary>
    double Joules(long[] before, long[] after);
}
