using System.Diagnostics;

namespace Microsoft.ML.Runtime;

/// <summary>A pipe named after the environment and the phase that opened it.</summary>
internal class Pipe<TMessage> : IPipe<TMessage>
{
    private readonly Action<string, TMessage>? _send;
    private readonly string _fullName;
    private bool _disposed;

    public Pipe(string? parentName, string name, Action<string, TMessage>? send)
    {
        Contracts.CheckNonEmpty(name);
        _fullName = string.IsNullOrEmpty(parentName) ? name : $"{parentName}; {name}";
        _send = send;
    }

    public string ContextDescription => _fullName;

    public TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex is not null)
        {
            ex.Data["Phase"] = _fullName;
        }

        return ex!;
    }

    public void Send(TMessage msg) => _send?.Invoke(_fullName, msg);

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Closing();
        }
    }

    protected virtual void Closing()
    {
    }
}

internal sealed class Channel : Pipe<ChannelMessage>, IChannel
{
    private readonly long _started = Stopwatch.GetTimestamp();

    public Channel(string? parentName, string name, Action<string, ChannelMessage> send)
        : base(parentName, name, send) =>
        Trace(MessageSensitivity.None, "Channel started");

    public void Trace(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Trace, sensitivity, fmt));

    public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Trace, sensitivity, fmt, args));

    public void Error(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Error, sensitivity, fmt));

    public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Error, sensitivity, fmt, args));

    public void Warning(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Warning, sensitivity, fmt));

    public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Warning, sensitivity, fmt, args));

    public void Info(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Info, sensitivity, fmt));

    public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Info, sensitivity, fmt, args));

    protected override void Closing()
    {
        Trace(MessageSensitivity.None, "Channel finished. Elapsed {0:c}.", Stopwatch.GetElapsedTime(_started));
        Trace(MessageSensitivity.None, "Channel disposed");
    }
}
