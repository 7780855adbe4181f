using System.Text.Json;
using Enclaves.Api;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Mutation;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Validation;

namespace Enclaves.Webhook.Serving;

/// <summary>What is decided at one path: all that <see cref="AdmissionEndpoint"/> does besides HTTP.</summary>
/// <param name="Name">Its name in metrics and logs.</param>
/// <param name="Path">Path of the endpoint.</param>
/// <param name="Kind">The kind it decides on.</param>
/// <param name="Decide">The decision on a request.</param>
internal sealed record AdmissionPoint(string Name, string Path, GroupVersionKind Kind, Func<AdmissionRequest, AdmissionDecision> Decide)
{
    /// <summary>Fills defaults of NEDs.</summary>
    public static AdmissionPoint MutateNed { get; } =
        new("mutate-ned", "/mutate-k8s-oblv-com-v1alpha1-nitroenclavedeployment", Ned, NedMutation.Decide);

    /// <summary>Refuses bad NEDs.</summary>
    /// <param name="images">Which images may run.</param>
    public static AdmissionPoint ValidateNed(ImagePolicy images) =>
        new("validate-ned", "/validate-k8s-oblv-com-v1alpha1-nitroenclavedeployment", Ned, request => NedValidation.Decide(request, images));

    private static GroupVersionKind Ned => new(NedNames.Group, NedNames.Version, NedNames.Kind);

    /// <summary>Injects the enclave pod template.</summary>
    public static AdmissionPoint MutatePod(PodInjection injection) =>
        new("mutate-pod", "/mutate-v1-pod", new GroupVersionKind("", "v1", "Pod"), injection.Decide);

    /// <summary>Reads a review and decides on it.</summary>
    /// <exception cref="MalformedReviewException">It is not a review that this point decides on; nothing else is ever thrown.</exception>
    public (AdmissionRequest Request, AdmissionDecision Decision) Answer(JsonDocument review)
    {
        var request = AdmissionReviewReader.Read(review.RootElement);
        if (request.Kind != Kind)
            throw new MalformedReviewException($"request.kind: is {request.Kind}, this endpoint decides on {Kind}");
        return (request, Decide(request));
    }
}
