namespace TorchSharp;

public sealed class DisposeScope : IDisposable
{
    private DisposeScopeManager? _manager;
    private HashSet<IDisposable> _disposables = new(ReferenceEqualityComparer.Instance);

    internal DisposeScope(DisposeScopeManager manager)
    {
        _manager = manager;
        OuterScope = manager.CurrentDisposeScope;
    }

    public IReadOnlyList<IDisposable> DisposablesView
    {
        get
        {
            _ = Manager;
            return [.. _disposables];
        }
    }

    public int DisposablesCount
    {
        get
        {
            _ = Manager;
            return _disposables.Count;
        }
    }

    internal DisposeScope? OuterScope { get; set; }

    private DisposeScopeManager Manager => _manager ?? throw new ObjectDisposedException(GetType().FullName);

    public T MoveToOuter<T>(T disposable)
        where T : IDisposable
    {
        MoveToOuter(Each(disposable));
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable
    {
        MoveToOuter(Each(first, second));
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable
    {
        MoveToOuter(Each(first, second, third));
        return (first, second, third);
    }

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(OuterScope, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable)
        where T : IDisposable
    {
        MoveToOther(scope, Each(disposable));
        return disposable;
    }

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables)
        => MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        if (scope is null)
        {
            Detach(disposables);
            return;
        }

        _ = Manager;
        foreach (IDisposable disposable in disposables)
        {
            if (_disposables.Contains(disposable))
            {
                scope.Adopt((Tensor)disposable);
            }
        }
    }

    public T Detach<T>(T disposable)
        where T : IDisposable
    {
        Detach(Each(disposable));
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable
    {
        Detach(Each(first, second));
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable
    {
        Detach(Each(first, second, third));
        return (first, second, third);
    }

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        ThreadDisposeScopeStatistics statistics = Manager.StatisticsInstance;
        foreach (IDisposable disposable in disposables)
        {
            if (_disposables.Remove(disposable))
            {
                statistics.DetachedFromScopeCount++;
                ((Tensor)disposable).OwningDisposeScope = null;
            }
        }
    }

    public void Attach(IDisposable disposable) => _ = Attach((IEnumerable<IDisposable>)Each(disposable));

    public void Attach(params IDisposable[] disposables) => _ = Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        ThreadDisposeScopeStatistics statistics = Manager.StatisticsInstance;
        List<IDisposable> attached = [.. disposables];
        foreach (IDisposable disposable in attached)
        {
            if (disposable is not Tensor tensor)
            {
                throw new InvalidOperationException("DisposeScope can only manage Tensor or PackedSequence");
            }

            if (Adopt(tensor))
            {
                statistics.DetachedFromScopeCount--;
            }
        }

        return attached;
    }

    public void DisposeEverything() => DisposeEverythingBut([]);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        _ = Manager;
        HashSet<IDisposable> old = _disposables;
        _disposables = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        foreach (IDisposable disposable in old)
        {
            if (!_disposables.Contains(disposable))
            {
                disposable.Dispose();
            }
        }
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public T DisposeEverythingBut<T>(T keep)
        where T : IDisposable
    {
        DisposeEverythingBut(Each(keep));
        return keep;
    }

    public void Dispose()
    {
        if (_manager is { } manager)
        {
            DisposeEverything();
            manager.RemoveDisposeScope(this);
            _manager = null;
        }
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        _ = Manager;
        Forget(disposable);
    }

    public bool Contains(IDisposable disposable) => _disposables.Contains(disposable);

    internal void Register(Tensor tensor) => _disposables.Add(tensor);

    /// <summary>What <see cref="MarkAsDisposed"/> does, for a tensor that outlived its scope too.</summary>
    internal void Forget(IDisposable disposable)
    {
        _disposables.Remove(disposable);
        if (disposable is Tensor tensor)
        {
            tensor.OwningDisposeScope = null;
        }
    }

    /// <summary>Puts one tensor in the place of another, in the scope the other was in.</summary>
    internal static void Replace(Tensor original, Tensor replacement)
    {
        if (original.OwningDisposeScope is { } scope && scope._disposables.Remove(original))
        {
            original.OwningDisposeScope = null;
            scope._disposables.Add(replacement);
            replacement.OwningDisposeScope = scope;
        }
    }

    private static IDisposable[] Each(params IDisposable[] disposables) => disposables;

    private bool Adopt(Tensor tensor)
    {
        if (tensor.OwningDisposeScope == this)
        {
            return false;
        }

        tensor.OwningDisposeScope?._disposables.Remove(tensor);
        _disposables.Add(tensor);
        tensor.OwningDisposeScope = this;
        return true;
    }
}
