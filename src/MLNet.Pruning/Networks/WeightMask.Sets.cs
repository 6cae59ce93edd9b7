namespace MLNet.Pruning;

public sealed partial class WeightMask
{
    /// <summary>
    /// What all of several prunings of one network keep, such as those of <see cref="PrunedNetwork.Masks"/>. A parameter without a mask keeps all its
    /// values. <see cref="NetworkPruningExtensions.WithMasks(Network, IReadOnlyDictionary{string, WeightMask})"/> puts the result on.
    /// </summary>
    /// <param name="masks">Masks by the name of their parameter; at least one set.</param>
    /// <exception cref="ArgumentException">Two masks of a parameter have different sizes, or there are none.</exception>
    public static ImmutableDictionary<string, WeightMask> Intersection(params IReadOnlyDictionary<string, WeightMask>[] masks)
        => Combine(masks, present => present.Aggregate((all, mask) => all.And(mask)), everywhere: false);

    /// <summary>What at least one of them keeps.</summary>
    /// <inheritdoc cref="Intersection"/>
    public static ImmutableDictionary<string, WeightMask> Union(params IReadOnlyDictionary<string, WeightMask>[] masks)
        => Combine(masks, present => present.Aggregate((all, mask) => all.Or(mask)), everywhere: true);

    /// <summary>What at least so many of them keep.</summary>
    /// <param name="votes">From 1, the union, to the number of sets, the intersection.</param>
    /// <param name="masks">Masks by the name of their parameter; at least one set.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="votes"/> is not from 1 to the number of sets.</exception>
    /// <exception cref="ArgumentException">Two masks of a parameter have different sizes, or there are none.</exception>
    public static ImmutableDictionary<string, WeightMask> Vote(int votes, params IReadOnlyDictionary<string, WeightMask>[] masks)
    {
        Setting.Complete(masks);
        ArgumentOutOfRangeException.ThrowIfLessThan(votes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(votes, masks.Length);
        return Combine(masks, present => Vote(present, votes - (masks.Length - present.Length)), everywhere: false)
            .Where(mask => mask.Value.Kept < mask.Value.Count).ToImmutableDictionary();
    }

    private static WeightMask Vote(WeightMask[] masks, int votes)
    {
        var kept = new bool[masks[0].Count];
        for (var i = 0; i < kept.Length; i++)
        {
            var count = 0;
            foreach (var mask in masks)
            {
                count += mask[i] ? 1 : 0;
            }

            kept[i] = count >= votes;
        }

        return new(kept);
    }

    /// <param name="masks">The sets.</param>
    /// <param name="combine">Of the masks of one parameter, those sets left out that have none.</param>
    /// <param name="everywhere">Whether a parameter that one set leaves whole is whole.</param>
    private static ImmutableDictionary<string, WeightMask> Combine(IReadOnlyDictionary<string, WeightMask>[] masks, Func<WeightMask[], WeightMask> combine,
        bool everywhere)
    {
        ArgumentNullException.ThrowIfNull(masks);
        if (masks.Length == 0)
        {
            throw new ArgumentException("Give at least one set of masks.", nameof(masks));
        }

        if (Setting.Complete(masks).SelectMany(set => set).FirstOrDefault(mask => mask.Value is null) is { Key: { } empty })
        {
            throw new ArgumentNullException(nameof(masks), $"The mask of parameter '{empty}' is null.");
        }

        var result = ImmutableDictionary.CreateBuilder<string, WeightMask>();
        foreach (var name in masks.SelectMany(set => set.Keys).Distinct())
        {
            WeightMask[] present = [.. masks.Where(set => set.ContainsKey(name)).Select(set => set[name])];
            if (present.FirstOrDefault(mask => mask.Count != present[0].Count) is { } odd)
            {
                throw new ArgumentException($"The masks of parameter '{name}' have {present[0].Count} and {odd.Count} entries: they are of different networks.",
                    nameof(masks));
            }

            if (!everywhere || present.Length == masks.Length)
            {
                result[name] = combine(present);
            }
        }

        return result.ToImmutable();
    }
}
