using TorchSharp.Interop;

namespace TorchSharp;

public static unsafe partial class torch
{
    public partial class Tensor : IDisposable
    {
        // Below this the managed object alone makes the collector run often enough.
        private const long PressureThreshold = 4096;

        private static long s_totalCount;
        private static long s_peakCount;

        private nint _handle;
        private DisposeScope? _scope;
        private long _pressure;

        internal Tensor(nint handle)
        {
            _handle = handle;
            Count();
            _scope = DisposeScopeManager.ThreadSingleton.Register(this);
            if (_scope is null)
            {
                AddPressure();
            }
        }

        /// <summary>Takes the place of another tensor, which is left without its handle.</summary>
        private protected Tensor(Tensor original)
        {
            _handle = Interlocked.Exchange(ref original._handle, 0);
            original.RemovePressure();
            GC.SuppressFinalize(original);
            DisposeScope.Replace(original, this);
            if (_scope is null)
            {
                AddPressure();
            }
        }

        ~Tensor() => Dispose(false);

        public static long TotalCount => Interlocked.Read(ref s_totalCount);

        public static long PeakCount => Interlocked.Read(ref s_peakCount);

        public nint Handle
            => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        public bool IsInvalid => _handle == 0;

        public string? name { get; set; }

        // Scopes free their tensors soon; any other tensor waits for the collector, which has to know how much hangs on it.
        internal DisposeScope? OwningDisposeScope
        {
            get => _scope;
            set
            {
                _scope = value;
                if (value is null)
                {
                    AddPressure();
                }
                else
                {
                    RemovePressure();
                }
            }
        }

        public static Tensor UnsafeCreateTensor(nint handle) => new(handle);

        public nint DecoupleFromNativeHandle()
        {
            nint handle = Handle;
            _handle = 0;
            RemovePressure();
            GC.SuppressFinalize(this);
            Interlocked.Decrement(ref s_totalCount);
            return handle;
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is null)
            {
                other?.Attach(this);
            }
            else
            {
                OwningDisposeScope.MoveToOther(other, this);
            }

            return this;
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        public bool Equals(Tensor target) => Operator.CallBoolean("equal", this, target);

        public override int GetHashCode() => base.GetHashCode();

        public override string ToString()
            => $"[{string.Join("x", shape)}], type = {dtype}, device = {device}{(name is null ? "" : $", name = {name}")}";

        protected virtual void Dispose(bool disposing)
        {
            nint handle = Interlocked.Exchange(ref _handle, 0);
            if (handle == 0)
            {
                return;
            }

            DisposeScopeManager.ThreadSingleton.CountDisposal(this);
            RemovePressure();

            // A scope holds on to its tensors: when this is the finalizer, the scope is garbage too.
            if (disposing)
            {
                _scope?.Forget(this);
                RemovePressure();
            }

            Interlocked.Decrement(ref s_totalCount);
            NativeMethods.ts_release(handle);
        }

        private static void Count()
        {
            long total = Interlocked.Increment(ref s_totalCount);
            long peak = Interlocked.Read(ref s_peakCount);
            while (total > peak)
            {
                peak = Interlocked.CompareExchange(ref s_peakCount, total, peak) is var seen && seen == peak ? total : seen;
            }
        }

        private void AddPressure()
        {
            if (_handle == 0 || _pressure != 0)
            {
                return;
            }

            TensorDescription description = Describe();
            long size = description.NumberOfElements * description.ElementSize;
            if (size >= PressureThreshold && description.DeviceType == (int)DeviceType.CPU)
            {
                _pressure = size;
                GC.AddMemoryPressure(size);
            }
        }

        private void RemovePressure()
        {
            long size = Interlocked.Exchange(ref _pressure, 0);
            if (size != 0)
            {
                GC.RemoveMemoryPressure(size);
            }
        }
    }
}
