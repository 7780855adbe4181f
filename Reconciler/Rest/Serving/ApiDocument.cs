using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>The OpenAPI document of the REST API, and Swagger UI to read and try it.</summary>
internal static class ApiDocument
{
    /// <summary>Name of the document.</summary>
    public const string Name = "v1";

    private const string Route = "/swagger/{documentName}/swagger.json";

    /// <summary>Adds what writes the document.</summary>
    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddEndpointsApiExplorer().AddSwaggerGen(Describe);

    /// <summary>Adds both to the routes; both are shown to whoever has a token of the cluster.</summary>
    public static void MapApiDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapSwagger(Route).RequireAuthorization();
        routes.MapSwaggerUI("swagger", ui =>
        {
            ui.SwaggerEndpoint($"{Name}/swagger.json", "Enclaves");
            ui.DocumentTitle = "Enclaves";
            ui.DisplayRequestDuration();
        }).RequireAuthorization();
    }

    private static void Describe(SwaggerGenOptions swagger)
    {
        swagger.SwaggerDoc(Name, new OpenApiInfo
        {
            Title = "Enclaves",
            Version = Name,
            Description = "NitroEnclaveDeployments and their enclaves. Send a token of the cluster (Authorization: Bearer TOKEN); you see and may do what Kubernetes RBAC "
                + "lets you. Whatever goes wrong is answered with a problem document (RFC 9457).",
        });
        swagger.AddSecurityDefinition("token", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A token that the cluster accepts, such as kubectl create token gives. A browser that has logged in at /login needs none.",
        });
        swagger.AddSecurityRequirement(document => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("token", document)] = [] });
        swagger.SupportNonNullableReferenceTypes();
        swagger.NonNullableReferenceTypesAsRequired();
        swagger.IncludeXmlComments(typeof(ApiDocument).Assembly);
        swagger.TagActionsBy(_ => ["NitroEnclaveDeployments"]);
    }
}
