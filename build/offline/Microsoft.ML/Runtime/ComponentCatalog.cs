using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Runtime;

/// <summary>Says which type loads a part of a model file that carries a given signature.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class LoadableClassAttribute : Attribute
{
    public LoadableClassAttribute(Type loader, string signature)
    {
        Loader = loader;
        Signature = signature;
    }

    /// <summary>Declares <c>static ... Create(IHostEnvironment env, ModelLoadContext ctx)</c>.</summary>
    public Type Loader { get; }

    public string Signature { get; }
}

/// <summary>The loaders and extensions (custom mappings) of the assemblies known to an environment.</summary>
public sealed class ComponentCatalog
{
    // Every context registers the same assemblies: each is looked through once.
    private static readonly ConditionalWeakTable<Assembly, Components> Scanned = [];

    private readonly ConcurrentDictionary<string, bool> _assemblies = new();
    private readonly ConcurrentDictionary<string, MethodInfo> _loaders = new();
    private readonly ConcurrentDictionary<(Type Attribute, string Contract), Type> _extensions = new();

    internal ComponentCatalog() => RegisterAssembly(typeof(ComponentCatalog).Assembly);

    public void RegisterAssembly(Assembly assembly, bool throwOnError = true)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        if (!_assemblies.TryAdd(assembly.FullName!, true))
        {
            return;
        }

        Components components = Scanned.GetValue(assembly, Scan);
        foreach ((string signature, MethodInfo create) in components.Loaders)
        {
            _loaders[signature] = create;
        }

        foreach ((Type attribute, string contract, Type type) in components.Extensions)
        {
            Type known = _extensions.GetOrAdd((attribute, contract), type);
            if (known != type && throwOnError)
            {
                throw new InvalidOperationException($"Contract '{contract}' of {type} is taken by {known}");
            }
        }
    }

    /// <summary>A new instance of the type that carries the attribute with the contract name.</summary>
    internal object GetExtension(Type attribute, string contractName) =>
        _extensions.TryGetValue((attribute, contractName), out Type? type)
            ? Activator.CreateInstance(type)!
            : throw new InvalidOperationException(
                $"No {attribute.Name} has the contract name '{contractName}'; register its assembly with ComponentCatalog.RegisterAssembly");

    /// <summary>Builds the object that was saved under a signature, from the assembly that saved it.</summary>
    internal object Load(IHostEnvironment env, string signature, string assemblyName, ModelLoadContext ctx)
    {
        if (!_loaders.TryGetValue(signature, out MethodInfo? create))
        {
            try
            {
                RegisterAssembly(Assembly.Load(assemblyName));
            }
            catch (Exception e) when (e is FileNotFoundException or FileLoadException or BadImageFormatException)
            {
                throw new FormatException($"The model needs '{assemblyName}' to load a part with signature '{signature}', and it cannot be found", e);
            }

            create = _loaders.GetValueOrDefault(signature)
                ?? throw new FormatException($"'{assemblyName}' has no loader with signature '{signature}'");
        }

        return create.CreateDelegate<Func<IHostEnvironment, ModelLoadContext, object>>()(env, ctx);
    }

    private static Components Scan(Assembly assembly) => new(
        [.. assembly.GetCustomAttributes<LoadableClassAttribute>().Select(loadable => (loadable.Signature, CreateMethodOf(loadable.Loader)))],
        [
            .. from type in TypesOf(assembly)
               from extension in type.GetCustomAttributes<ExtensionBaseAttribute>(inherit: false)
               select (extension.GetType(), extension.ContractName, type),
        ]);

    private static MethodInfo CreateMethodOf(Type loader) => loader.GetMethod(
        "Create", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(IHostEnvironment), typeof(ModelLoadContext)])
        ?? throw new InvalidOperationException($"{loader} has no static Create(IHostEnvironment, ModelLoadContext)");

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException e)
        {
            return e.Types.OfType<Type>();
        }
    }

    private sealed record Components((string Signature, MethodInfo Create)[] Loaders, (Type Attribute, string Contract, Type Type)[] Extensions);
}
