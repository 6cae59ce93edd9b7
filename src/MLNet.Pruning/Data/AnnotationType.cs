namespace MLNet.Pruning.Data;

/// <summary>The data view type of an annotation that carries an object of ours.</summary>
/// <typeparam name="T">Its class.</typeparam>
internal sealed class AnnotationType<T> : StructuredDataViewType
    where T : class
{
    private AnnotationType() : base(typeof(T))
    {
    }

    public static AnnotationType<T> Instance { get; } = new();

    public override bool Equals(DataViewType? other) => other is AnnotationType<T>;

    public override bool Equals(object? other) => other is AnnotationType<T>;

    public override int GetHashCode() => typeof(T).GetHashCode();

    public override string ToString() => $"MLNet.Pruning.{typeof(T).Name}";
}
