namespace MLNet.Pruning.Pipeline.Steps;

/// <summary>
/// The environment behind an ML.NET catalog. No public member gives it, so that this one place reads the catalog's explicitly
/// implemented <c>IInternalCatalog.Environment</c>.
/// </summary>
internal static class CatalogEnvironment
{
    public static IHostEnvironment Of(object catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var environment = catalog.GetType().GetInterfaces()
            .FirstOrDefault(type => type.Name == "IInternalCatalog")?.GetProperty("Environment")?.GetValue(catalog);
        return environment as IHostEnvironment ?? throw new NotSupportedException(
            $"{catalog.GetType()} of {catalog.GetType().Assembly.GetName()} does not give its environment: this version of ML.NET is not supported by "
                + "MLNet.Pruning.");
    }

    /// <summary>What <c>MLContext.GpuDeviceId</c> and <c>MLContext.FallbackToCpu</c> are set to.</summary>
    public static (int? GpuDeviceId, bool FallbackToCpu) Gpu(IHostEnvironment environment)
    {
        var type = environment.GetType();
        return ((int?)type.GetProperty("GpuDeviceId")?.GetValue(environment), (bool?)type.GetProperty("FallbackToCpu")?.GetValue(environment) ?? true);
    }
}
