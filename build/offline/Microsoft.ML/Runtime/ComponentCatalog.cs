using System.Collections.Concurrent;
using System.Reflection;

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

        foreach (LoadableClassAttribute loadable in assembly.GetCustomAttributes<LoadableClassAttribute>())
        {
            MethodInfo create = loadable.Loader.GetMethod(
                "Create", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(IHostEnvironment), typeof(ModelLoadContext)])
                ?? throw new InvalidOperationException($"{loadable.Loader} has no static Create(IHostEnvironment, ModelLoadContext)");
            _loaders[loadable.Signature] = create;
        }

        foreach (Type type in TypesOf(assembly))
        {
            foreach (ExtensionBaseAttribute extension in type.GetCustomAttributes<ExtensionBaseAttribute>(inherit: false))
            {
                Type known = _extensions.GetOrAdd((extension.GetType(), extension.ContractName), type);
                if (known != type && throwOnError)
                {
                    throw new InvalidOperationException($"Contract '{extension.ContractName}' of {type} is taken by {known}");
                }
            }
        }
    }

    /// <summary>A new instance of the type that carries the attribute with the contract name.</summary>
    internal object GetExtension(Type attribute, string contractName) =>
        _extensions.TryGetValue((attribute, contractName), out Type? type)
            ? Activator.CreateInstance(type)!
            : throw new InvalidOperationException(
                $"No {attribute.Name} has the contract name '{contractName}'; register its assembly with ComponentCatalog.RegisterAssembly");

    internal bool IsRegistered(Assembly assembly) => _assemblies.ContainsKey(assembly.FullName!);

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
}
