using Enclaves.Api;
using Enclaves.Reconciler.Rest.Auth;
using Hangfire;
using Hangfire.Dashboard;
using RouteCollection = Hangfire.Dashboard.RouteCollection;

namespace Enclaves.Reconciler.Rest.Dashboard;

/// <summary>
/// Hangfire's dashboard: seen by whoever may list all NEDs, since jobs name NEDs of all namespaces, and with buttons for whoever may patch all of them.
/// </summary>
internal static class JobDashboard
{
    /// <summary>Its path.</summary>
    public const string Path = "/hangfire";

    private static readonly RouteAccess See = new("list", NedNames.Group, NedNames.Plural);
    private static readonly Access Press = Access.ToNeds("patch");
    private static readonly object MayPress = new();

    // What it looks for, as AddHangfire has registered it for the server. Registered once more, it would also make jobs anew, out of the services here.
    private static readonly Type[] Parts =
    [
        typeof(JobStorage), typeof(IGlobalConfiguration), typeof(RouteCollection), typeof(IBackgroundJobClientFactory), typeof(IRecurringJobManagerFactory),
        typeof(ITimeZoneResolver),
    ];

    /// <summary>Adds what it needs: what the jobs themselves have.</summary>
    public static IServiceCollection AddJobDashboard(this IServiceCollection services, IServiceProvider jobs)
    {
        foreach (var part in Parts)
            services.AddSingleton(part, jobs.GetRequiredService(part));
        return services;
    }

    /// <summary>Adds it to the routes.</summary>
    public static void Map(WebApplication app)
    {
        app.UseWhen(context => context.Request.Path.StartsWithSegments(Path), dashboard => dashboard
            .Use(app.Services.GetRequiredService<LeaderForward>().InvokeAsync)
            .Use(NoteWhoMayPress));
        app.MapHangfireDashboard(Path, new DashboardOptions
        {
            // Who sees it has been decided when it is reached; its own default lets in whoever comes from this machine.
            Authorization = [],
            AsyncAuthorization = [],
            IsReadOnlyFunc = context => !context.GetHttpContext().Items.ContainsKey(MayPress),
            DisplayStorageConnectionString = false,
            DashboardTitle = "Enclaves: jobs",
            AppPath = "/swagger/index.html",
            // The cookie is only taken with requests of this server's own pages.
            IgnoreAntiforgeryToken = true,
        }).RequireAccess(See);
    }

    private static async Task NoteWhoMayPress(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Recognised>() is { } recognised
            && await context.RequestServices.GetRequiredService<AccessReviews>().MayAsync(recognised.Caller, Press, context.RequestAborted))
        {
            context.Items[MayPress] = true;
        }

        await next(context);
    }
}
